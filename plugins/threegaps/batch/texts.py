"""Reading dates, periods, numbers and units from the ways in which departments write them."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

_EXCEL_EPOCH = dt.date(1899, 12, 30)
_EXCEL_SERIALS = range(20_000, 73_051)
"""1954-10-03 to 2100-01-01: a five-digit number outside is no date of a feed."""

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]00:00:00(?:\.0+)?)?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SLASHED = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})(?: 0?0:00(?::00)?)?")
_LOOSE_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_CHINESE = re.compile(r"([0-9]{4})年([0-9]{1,2})月(?:([0-9]{1,2})日)?")
_MONTH = re.compile(r"([0-9]{4})-?([0-9]{2})")
_SERIAL = re.compile(r"[0-9]{5}(?:\.0+)?")

_QUARTER_LABEL = re.compile(r"([0-9]{4})([1-4])")
_YEAR_LABEL = re.compile(r"([0-9]{4})年?")
_RANGE_LABEL = re.compile(r"([0-9]{4})年1[-—~至]([0-9]{1,2})月")
_QUARTER_WORDS = re.compile(r"([0-9]{4})年(?:第?一季度|(上半年)|(前三季度))")


def _date(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


@lru_cache(maxsize=100_000)
def read_date(text: str, *, any_style: bool, is_month: bool) -> tuple[dt.date | None, str | None]:
    """The date that *text* says, and the name of the style if it is not the standard's own.

    Args:
        text: As written.
        any_style: Whether the contract declares the other styles; without, only ISO 8601 is read.
        is_month: Whether the column holds months (202506), kept as their first day.
    """
    match = _ISO.fullmatch(text)
    if match:
        day = _date(*match.groups())
        return (day.replace(day=1) if day and is_month else day), None
    if is_month and (match := _MONTH.fullmatch(text)):
        return _date(match[1], match[2], "1"), None
    if not any_style:
        return None, None
    day, style = None, None
    if match := _COMPACT.fullmatch(text):
        day, style = _date(*match.groups()), "date_compact"
    elif match := _SLASHED.fullmatch(text) or _LOOSE_ISO.fullmatch(text):
        day, style = _date(*match.groups()), "date_slashed"
    elif match := _CHINESE.fullmatch(text):
        day, style = _date(match[1], match[2], match[3] or "1"), "date_chinese"
    elif _SERIAL.fullmatch(text) and int(float(text)) in _EXCEL_SERIALS:
        day, style = _EXCEL_EPOCH + dt.timedelta(days=int(float(text))), "date_excel_serial"
    if day is None:
        return None, None
    return (day.replace(day=1) if is_month else day), style


@lru_cache(maxsize=1_000)
def read_period(label: str) -> tuple[dt.date, dt.date] | None:
    """First and last day of a cumulative period by its printed label: 20203, 2014年, 2021年1-12月, 2020年前三季度."""
    text = "".join(label.split())
    if match := _QUARTER_LABEL.fullmatch(text):
        year, month = int(match[1]), 3 * int(match[2])
    elif match := _RANGE_LABEL.fullmatch(text):
        year, month = int(match[1]), int(match[2])
    elif match := _QUARTER_WORDS.fullmatch(text):
        year, month = int(match[1]), 6 if match[2] else 9 if match[3] else 3
    elif match := _YEAR_LABEL.fullmatch(text):
        year, month = int(match[1]), 12
    else:
        return None
    if not 1 <= month <= 12:
        return None
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return dt.date(year, 1, 1), following - dt.timedelta(days=1)


FULL_WIDTH = {ord("０") + offset: ord("0") + offset for offset in range(10)} | {
    **{ord("Ａ") + offset: ord("A") + offset for offset in range(26)},
    **{ord("ａ") + offset: ord("a") + offset for offset in range(26)},
    ord("．"): ord("."),
    ord("－"): ord("-"),
    ord("　"): ord(" "),
}
