"""Rows that are totals, ranks or notes: no data, counted with their reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import polars as pl

from threegaps.contracts.options.normalisations import TotalRows
from threegaps.standards.white_space import WHITE_SPACE_CLASS

Read = Callable[[pl.DataFrame], Mapping[str, pl.Series]]
"""Gives the texts of rows as they are when they are judged, by canonical names."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What a row must have to be one.

    Args:
        key: The columns of the feed's key, each with the form of its values where it has one.
        others: The columns besides that no row may lack.
    """

    key: Mapping[str, str | None]
    others: Sequence[str] = ()


def total_rows(
    options: Sequence[TotalRows],
    needed: Needed,
    frame: pl.DataFrame,
    read: Read,
    unread: Mapping[str, pl.Series] | None = None,
) -> pl.Series | None:
    """By row why it is none, and null where it is one; None where all are.

    A row is none where a whole cell has the label's form and a part of its key is empty besides. Where the key has not
    its form (a number of rows stands in its place) or is the label alone, the row is none if it lacks something else
    too that no row may lack: a firm whose name is, or ends in, a word for a total is a firm, and one whose number is
    mistyped is for the rules to refuse.

    Args:
        options: What the contract declares.
        needed: What a row must have.
        frame: The rows as they were sent, by canonical names.
        read: Makes of them what is judged: a key that only has to be cleaned is one.
        unread: By column the rows whose value could not be had: it is not empty for that.
    """
    found: pl.Series | None = None
    for option in options:
        for name in option.columns:
            labels = frame[name].str.replace_all(f"[{WHITE_SPACE_CLASS}]", "").str.contains(f"^(?:{option.regex})$")
            matches = labels.fill_null(value=False).arg_true()
            if not len(matches):
                continue
            hidden = {column: mask.gather(matches) for column, mask in (unread or {}).items()}
            matches = matches.filter(_is_none(read(frame[matches]), needed, name, hidden))
            if len(matches):
                before = pl.repeat(None, frame.height, dtype=pl.String, eager=True) if found is None else found
                found = before.scatter(matches.filter(before.gather(matches).is_null()), option.reason)
    return found


def _is_none(texts: Mapping[str, pl.Series], needed: Needed, label: str, unread: Mapping[str, pl.Series]) -> pl.Series:
    """The rows, *label* being the column of the word for a total, that have no key, or an odd one and no more."""
    key = {name: form for name, form in needed.key.items() if name in texts and name != label}
    empty = {
        name: column.is_null() & ~unread[name] if name in unread else column.is_null()
        for name, column in texts.items()
        if name != label
    }
    odd = [~texts[name].str.contains(form).fill_null(value=True) for name, form in key.items() if form is not None]
    others = [empty[name] for name in needed.others if name in empty]
    # Where nothing else is asked of a row, one with anything else in it may be one.
    besides = [mask for name, mask in empty.items() if name not in key]
    no, yes = (pl.repeat(value, len(texts[label]), dtype=pl.Boolean, eager=True) for value in (False, True))
    lacks_more = reduce(or_, others, no) if others else reduce(and_, besides, yes)
    return reduce(or_, (empty[name] for name in key), (reduce(or_, odd, no) if key else yes) & lacks_more)
