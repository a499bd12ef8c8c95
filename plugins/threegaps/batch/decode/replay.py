"""Repairs of refused rows in our own form: a JSON object a line, with the row's number and its texts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from threegaps.batch.decode.blocks import Part, TextBlock
from threegaps.contracts.model import Contract


def decode_replay(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The repairs in one block: a person mended them, so there are few, and they are read whole."""
    del block_bytes
    with part.open() as raw:
        repairs = [json.loads(line) for line in raw]
    names = [column.name for column in contract.sent_columns]
    frame = pl.DataFrame(
        {name: [repair["row"].get(name) for repair in repairs] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )
    numbers = pl.Series("row_number", [repair["row_number"] for repair in repairs], dtype=pl.Int32)
    yield TextBlock(part, frame, numbers, len(repairs), lines=numbers.cast(pl.Int64))
