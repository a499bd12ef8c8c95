"""A cell of a sheet as the text that it says, or as why none can be had."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from decimal import Decimal

from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.decode.xlsx.styles import NumberKind

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_BOOLEANS = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}
"""As a file stores them, and as Excel shows them."""
_LAST_DAY = 2_958_465
"""9999-12-31, the last day that Excel knows."""
_FALSE_LEAP_DAY = 60
"""1900-02-29, which Lotus 1-2-3 had and Excel kept; there was no such day."""
_SIGNIFICANT_DIGITS = 15
"""What Excel keeps of a number and shows of it; what a file holds beyond is noise of its arithmetic."""
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with something in it.

    Args:
        column: Its column, from 1.
        text: What it says; None where that cannot be had.
        fault: Why it cannot be had, or what was wrong with the text shown.
        is_bare_number: Whether it is a number that no style makes a day.
        is_boolean: Whether it is TRUE or FALSE as a value of its own.
    """

    column: int
    text: str | None
    fault: FaultKind | None = None
    is_bare_number: bool = False
    is_boolean: bool = False

    @property
    def yes_or_no(self) -> str | None:
        """Its text in a column that asks for yes or no, where TRUE is 1; anywhere else TRUE stays what it says."""
        return str(int(self.text == "TRUE")) if self.is_boolean and self.text is not None else self.text


class CellReader:
    """Reads the cells of one workbook.

    Args:
        strings: Its shared texts.
        styles: What each of its styles makes of a number.
        has_1904_dates: Whether its days count from 1904-01-01 instead of 1899-12-31.
        is_uncomputed: Whether it says that its formulas are yet to be computed: a stored 0 is then no result.
    """

    def __init__(
        self, strings: list[str], styles: list[NumberKind], *, has_1904_dates: bool, is_uncomputed: bool
    ) -> None:
        self._strings, self._styles = strings, styles
        self._has_1904_dates, self._is_uncomputed = has_1904_dates, is_uncomputed

    def read(self, column: int, kind: str, style: str, value: str | None, *, has_formula: bool) -> Cell | None:
        """The cell; None where it is empty.

        Args:
            column: Its column, from 1.
            kind: Its type (ISO/IEC 29500-1, 18.18.11): b, d, e, inlineStr, n, s or str.
            style: Its style's number; empty where it has none.
            value: The text of its value; None where it has none.
            has_formula: Whether it is a formula.
        """
        if has_formula and (value is None or (not value.strip() and kind != "str") or self._is_placeholder(value)):
            return Cell(column, None, FaultKind.FORMULA)
        if value is None or value == "":
            return None
        match kind:
            case "n" | "":
                return self._number(column, style, value.strip())
            case "s":
                index = int(value) if value.strip().isascii() and value.strip().isdigit() else -1
                if not 0 <= index < len(self._strings):
                    return Cell(column, None, FaultKind.UNKNOWN_CELL)
                return _text(column, self._strings[index])
            case "str" | "inlineStr":
                return _text(column, unescaped(value))
            case "b":
                said = _BOOLEANS.get(value.strip())
                return Cell(column, said, None if said else FaultKind.UNKNOWN_CELL, is_boolean=True)
            case "d":
                return _iso(column, value.strip())
            case "e":
                return Cell(column, None, FaultKind.FORMULA_ERROR)
            case _:
                return Cell(column, None, FaultKind.UNKNOWN_CELL)

    def _is_placeholder(self, value: str) -> bool:
        return self._is_uncomputed and value.strip() == "0"

    def _number(self, column: int, style: str, value: str) -> Cell | None:
        kind = NumberKind.NUMBER
        if style.isascii() and style.isdigit() and int(style) < len(self._styles):
            kind = self._styles[int(style)]
        if kind is NumberKind.NUMBER and _PLAIN_NUMBER.fullmatch(value):
            return Cell(column, value, is_bare_number=True)
        try:
            number = float(value)
        except ValueError:
            return Cell(column, None, FaultKind.UNKNOWN_CELL)
        if not math.isfinite(number):
            return Cell(column, None, FaultKind.UNKNOWN_CELL)
        if kind is NumberKind.NUMBER:
            return Cell(column, number_text(number), is_bare_number=True)
        said = day_text(number, kind, has_1904_dates=self._has_1904_dates)
        return Cell(column, said, None if said is not None else FaultKind.NO_DAY)


def unescaped(text: str) -> str:
    """*text* with the characters that XML cannot hold and a workbook writes as ``_x000D_``."""
    if "_x" not in text:
        return text
    read = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    # Halves that stand side by side are one character.
    return read.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def number_text(number: float) -> str:
    """A number in plain digits, as many as Excel keeps; in scientific notation where digits have been lost."""
    if abs(number) >= 10**_SIGNIFICANT_DIGITS:
        return f"{number:.{_SIGNIFICANT_DIGITS - 1}E}"
    text = format(Decimal(f"{number:.{_SIGNIFICANT_DIGITS}g}"), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def day_text(number: float, kind: NumberKind, *, has_1904_dates: bool) -> str | None:
    """What a serial number says as a day (ISO 8601), a day with its time, or a time; None where there is no such day.

    Args:
        number: The serial number.
        kind: What its style makes of it.
        has_1904_dates: Whether days count from 1904-01-01.
    """
    seconds = round(number * _DAY_SECONDS)
    days, rest = divmod(seconds, _DAY_SECONDS)
    if kind is NumberKind.ELAPSED:
        return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}" if seconds >= 0 else None
    time = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    if kind is NumberKind.TIME and days == 0:
        return time
    if has_1904_dates:
        first = dt.date(1904, 1, 1)
        known = 0 <= days <= _LAST_DAY - 1462
    else:
        # Before the day that was none, the count is off by it.
        first = dt.date(1899, 12, 31) if days < _FALSE_LEAP_DAY else dt.date(1899, 12, 30)
        known = 1 <= days <= _LAST_DAY and days != _FALSE_LEAP_DAY
    if not known:
        return None
    day = (first + dt.timedelta(days=days)).isoformat()
    return f"{day} {time}" if rest else day


def _text(column: int, text: str) -> Cell | None:
    if not text:
        return None
    if _UNSTORABLE.search(text):
        kind = FaultKind.NUL if "\0" in text else FaultKind.HALF_CHARACTER
        return Cell(column, _UNSTORABLE.sub("\ufffd", text), kind)
    return Cell(column, text)


def _iso(column: int, value: str) -> Cell:
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return Cell(column, None, FaultKind.NO_DAY)
    if moment.time() == dt.time():
        return Cell(column, moment.date().isoformat())
    return Cell(column, moment.replace(tzinfo=None, microsecond=0).isoformat(sep=" "))
