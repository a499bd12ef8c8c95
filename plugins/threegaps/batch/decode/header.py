"""The columns as they came against those that the contract declares, and their canonical names.

What a department calls a column that the contract does not know may be anything, a person's number in a file without
its header: it is never said, only where it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.layout import Layout
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
from threegaps.standards.white_space import without_white_space

_MOST_POSITIONS = 10


@dataclass(frozen=True, slots=True)
class Header:
    """The columns as they came, against those declared.

    Args:
        canonical: The column at each position; None where the contract knows none, or the header is blank.
        missing: Columns that should be there, by canonical name.
        unknown: Positions, from 1, of names that the contract does not know.
        untimely: Columns under a name that holds on other days only.
        blank: Positions, from 0, of columns without a name at the header's end: they must be empty.
    """

    canonical: tuple[str | None, ...]
    missing: tuple[str, ...]
    unknown: tuple[int, ...]
    untimely: tuple[str, ...]
    blank: tuple[int, ...]

    @property
    def twice(self) -> tuple[str, ...]:
        """Columns that stand twice."""
        return tuple(name for name, count in Counter(self.canonical).items() if name is not None and count > 1)


def match_header(layout: Layout, names: Sequence[str]) -> Header:
    """Set the header's names against those of the layout on its day.

    White space is no part of a name: departments break and space them out as they like.
    """
    cleaned = [without_white_space(name) for name in names]
    width = len(cleaned)
    while width and not cleaned[width - 1]:
        width -= 1
    now = _by_name(layout, on_its_day=True)
    other_days = _by_name(layout, on_its_day=False)
    canonical = [now.get(name) for name in cleaned[:width]]
    found = set(canonical)
    untimely = [other_days[name] for name in cleaned[:width] if name not in now and name in other_days]
    return Header(
        canonical=(*canonical, *[None] * (len(cleaned) - width)),
        missing=tuple(name for name in layout.columns if name not in found and name not in untimely),
        unknown=tuple(
            place for place, name in enumerate(cleaned[:width], 1) if name not in now and name not in other_days
        ),
        untimely=tuple(untimely),
        blank=tuple(range(width, len(cleaned))),
    )


def check_header(
    contract: Contract, part: Part, header: Header, *, have_positions: bool = True, sheet: int | None = None
) -> None:
    """Refuse a part whose columns are not those of the contract.

    Args:
        have_positions: The columns stand in an order.
        sheet: The sheet's position in its workbook, where there is one.

    Raises:
        FeedError: A column is missing, new, there twice, or called as on another day.
    """
    twice = header.twice
    if not (header.missing or header.unknown or header.untimely or twice):
        return
    said = [
        f"missing {_named(contract, header.missing)}" if header.missing else "",
        _unknown(header.unknown, have_positions=have_positions) if header.unknown else "",
        f"under a name of other days {_named(contract, header.untimely)}" if header.untimely else "",
        f"twice {_named(contract, twice)}" if twice else "",
    ]
    raise FeedError(
        f"The columns{f' of sheet {sheet}' if sheet else ''} are not those of the contract:"
        f" {'; '.join(filter(None, said))}.",
        feed=contract.feed,
        file=part.source_name,
        row=0,
        column=next(iter((*header.missing, *header.untimely, *twice)), None),
        advice="look whether the header stands where the contract says, and ask the department whether a column was"
        " renamed; if it is meant, add the name to the column's headers with its first day.",
        sender_advice="put the header where the contract says, with the names that the contract has; if a name has"
        " changed for good, agree on it with the province first.",
    )


def canonical_frame(
    contract: Contract, header: Header, frame: pl.DataFrame, values: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """The columns of *frame*, which stand in the header's order, by canonical names in the contract's order.

    Args:
        values: Columns that are the same for all rows.
    """
    columns = {
        canonical: frame.to_series(index) for index, canonical in enumerate(header.canonical) if canonical is not None
    }
    return complete_frame(contract, columns, frame.height, values)


def complete_frame(
    contract: Contract, columns: Mapping[str, pl.Series], rows: int, values: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """A frame in the contract's order, with a column for each that is no derived one."""
    constant = values or {}
    return pl.DataFrame(
        [
            columns[column.name].alias(column.name)
            if column.name in columns
            else pl.repeat(constant.get(column.name), rows, dtype=pl.String, eager=True).alias(column.name)
            for column in contract.sent_columns
        ]
    )


def _by_name(layout: Layout, *, on_its_day: bool) -> dict[str, str]:
    return {
        without_white_space(header.name): name
        for name, headers in layout.columns.items()
        for header in headers
        if header.holds_on(layout.day) is on_its_day
    }


def _named(contract: Contract, names: Sequence[str]) -> str:
    return ", ".join(f"{name} ({contract.by_name[name].description_zh})" for name in dict.fromkeys(names))


def _unknown(positions: Sequence[int], *, have_positions: bool) -> str:
    count = f"{len(positions)} that the contract does not know"
    if not have_positions:
        return count
    shown = ", ".join(map(str, positions[:_MOST_POSITIONS]))
    return f"{count}, in position {shown}{' and more' if len(positions) > _MOST_POSITIONS else ''}"
