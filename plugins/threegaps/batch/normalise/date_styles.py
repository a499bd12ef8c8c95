"""Days in the styles that departments write, made ISO 8601."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import DateStyles

_EXCEL_EPOCH = dt.date(1899, 12, 30)
_EXCEL_SERIALS = range(20_000, 73_051)
"""1954-10-03 to 2100-01-01: a five-digit number outside is no date of a feed."""

_PLAIN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?$"
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SLASHED = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})(?: 0?0:00(?::00)?)?")
_LOOSE_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_CHINESE = re.compile(r"([0-9]{4})年([0-9]{1,2})月(?:([0-9]{1,2})日)?")
_SERIAL = re.compile(r"[0-9]{5}(?:\.0+)?")


def date_styles(option: DateStyles, texts: Texts, counts: Counts) -> None:
    """Make each such day plain; each style is counted by itself."""
    for name in option.columns:
        column = texts[name]
        values = column.values
        unusual = ~values.str.contains(_PLAIN)
        indexes = unusual.fill_null(value=False).arg_true()
        changed: dict[str, tuple[list[int], list[str | None]]] = {}
        for index, text in zip(indexes.to_list(), values.gather(indexes).to_list(), strict=True):
            day, style = read_date(text)
            if day is not None and style is not None:
                moved, fresh = changed.setdefault(style, ([], []))
                moved.append(index)
                fresh.append(day.isoformat())
        for style, (moved, fresh) in changed.items():
            counts.add(style, name, column.change_values(moved, fresh))


@lru_cache(maxsize=100_000)
def read_date(text: str) -> tuple[dt.date | None, str | None]:
    """The day that *text* says in another style than ISO 8601, and the style's name; nothing where it says none."""
    if match := _COMPACT.fullmatch(text):
        return _styled(match[1], match[2], match[3], "date_compact")
    if match := _SLASHED.fullmatch(text) or _LOOSE_ISO.fullmatch(text):
        return _styled(match[1], match[2], match[3], "date_slashed")
    if match := _CHINESE.fullmatch(text):
        return _styled(match[1], match[2], match[3] or "1", "date_chinese")
    if _SERIAL.fullmatch(text) and int(float(text)) in _EXCEL_SERIALS:
        return _EXCEL_EPOCH + dt.timedelta(days=int(float(text))), "date_excel_serial"
    return None, None


def _styled(year: str, month: str, day: str, style: str) -> tuple[dt.date | None, str | None]:
    try:
        return dt.date(int(year), int(month), int(day)), style
    except ValueError:
        return None, None
