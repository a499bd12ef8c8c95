"""The data rows of a batch's parts, in the order in which they are judged and by the numbers that tokens carry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from threegaps.batch.decode import Part, TextBlock, decode
from threegaps.batch.normalise import Normaliser
from threegaps.contracts.model import Contract

BLOCK_BYTES = 8 * 1024 * 1024


def in_order(contract: Contract, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Corrections first, the latest foremost, where rows have versions: what they replace then comes as older."""
    if contract.version_column is None or contract.delivery_kind == "changes":
        return tuple(parts)
    corrections = sorted(
        (part for part in parts if part.is_correction), key=lambda part: _by_numbers(part.source_name), reverse=True
    )
    return (*corrections, *(part for part in parts if not part.is_correction))


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """*name* as what sorts by the numbers in it: the tenth after the second."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split("([0-9]+)", name)]


def data_blocks(
    contract: Contract, parts: Sequence[Part], normaliser: Normaliser, block_bytes: int = BLOCK_BYTES
) -> Iterator[TextBlock]:
    """The rows of *parts* as they were sent, without totals and notes.

    Args:
        contract: The feed's contract.
        parts: The landed objects, in order.
        normaliser: The contract's, which knows totals and notes.
        block_bytes: About how many bytes of text a block holds.

    Raises:
        FeedError: A file cannot be decoded as the contract declares.
    """
    for part in parts:
        structural_before = 0
        for block in decode(contract, part, block_bytes):
            structural_before = _strip_structural(block, normaliser, structural_before)
            yield block


def _strip_structural(block: TextBlock, normaliser: Normaliser, before: int) -> int:
    """Take totals and notes out of *block*, and number its data rows without them and the *before* earlier ones.

    Returns:
        How many there have been in the part so far.
    """
    found, reasons = normaliser.structural(block.frame)
    places = np.zeros(0, dtype=np.int64)
    if found is not None:
        places = block.row_numbers.filter(found).to_numpy().astype(np.int64)
        block.frame = block.frame.filter(~found)
        block.row_numbers = block.row_numbers.filter(~found)
        block.structural.update(reasons)
    if before or len(places):
        numbers = block.row_numbers.to_numpy()
        fewer = before + np.searchsorted(places, numbers)
        block.row_numbers = pl.Series("row_number", numbers - fewer, dtype=pl.Int32)
        block.misshapen = [
            (number - before - int(np.searchsorted(places, number)), fields) for number, fields in block.misshapen
        ]
    return before + len(places)
