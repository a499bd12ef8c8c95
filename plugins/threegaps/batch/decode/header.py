"""The columns as they came against those that the contract declares, and their canonical names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from threegaps.batch.decode.blocks import Part
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError


@dataclass(frozen=True, slots=True)
class Header:
    """The columns as they came, against those declared."""

    names: tuple[str, ...]
    canonical: tuple[str | None, ...]
    missing: tuple[str, ...]
    new: tuple[str, ...]


def match_header(contract: Contract, names: list[str]) -> Header:
    """Set the header's names against the contract's source names."""
    known = {column.source_name: column.name for column in contract.columns if column.source_name}
    cleaned = ["".join(name.split()) for name in names]
    return Header(
        names=tuple(cleaned),
        canonical=tuple(known.get(name) for name in cleaned),
        missing=tuple(source for source in known if source not in cleaned),
        new=tuple(name for name in cleaned if name not in known),
    )


def check_header(contract: Contract, part: Part, header: Header) -> None:
    """Refuse a part whose columns are not those of the contract.

    Raises:
        FeedError: A column is missing, new or there twice.
    """
    twice = [name for name, count in Counter(header.names).items() if count > 1]
    if not (header.missing or header.new or twice):
        return
    said = [
        f"missing {', '.join(header.missing)}" if header.missing else "",
        f"new {', '.join(header.new)}" if header.new else "",
        f"twice {', '.join(twice)}" if twice else "",
    ]
    raise FeedError(
        f"The columns are not those of the contract: {'; '.join(filter(None, said))}.",
        feed=contract.feed,
        file=part.source_name,
        row=0,
        column=(header.missing or header.new or tuple(twice))[0],
        advice="ask the department whether a column was renamed; if it is meant, change the contract.",
    )


def canonical_frame(contract: Contract, header: Header, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of *frame*, which stand in the header's order, by canonical names in the contract's order."""
    columns = {
        canonical: frame.to_series(index) for index, canonical in enumerate(header.canonical) if canonical is not None
    }
    return pl.DataFrame(
        [columns[column.name].alias(column.name) for column in contract.columns if column.name in columns]
    )
