"""Columns of months, kept as their first day."""

from __future__ import annotations

import datetime as dt
import re

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import FirstOfMonth

_MONTH = re.compile(r"([0-9]{4})-?([0-9]{2})")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]00:00:00(?:\.0+)?)?")


def first_of_month(option: FirstOfMonth, texts: Texts, counts: Counts) -> None:
    """Make a month (202506), or a day of one, its first day."""
    column = texts[option.column]
    rows = column.rewrite(_first, lambda values: ~values.str.contains(r"^[0-9]{4}-[0-9]{2}-01$"))
    counts.add("first_of_month", option.column, rows)


def _first(text: str) -> str:
    match = _MONTH.fullmatch(text) or _DAY.fullmatch(text)
    if match is None:
        return text
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3]) if match.re is _DAY else 1)
    except ValueError:
        return text
    return day.replace(day=1).isoformat()
