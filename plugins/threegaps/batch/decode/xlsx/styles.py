"""Which styles make a number a day or a time; nothing else of a style is looked at."""

from __future__ import annotations

import re
from enum import Enum

from threegaps.batch.decode.xlsx.container import Container
from threegaps.batch.decode.xlsx.xml_stream import Attributes, Events, names

_MOST_STYLES = 70_000
# ISO/IEC 29500-1, 18.8.30: also those that Chinese, Japanese and Korean versions of Excel have built in.
_DATES = frozenset({*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58})
_TIMES = frozenset({*range(18, 22), *range(32, 36), *range(45, 48), 55, 56})
_NO_DATE = re.compile(r'"[^"]*"|\\.|_.|\*.|G/通用格式|General|E[+-]|AM/PM|A/P|上午/下午', re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\]]*\]")


class NumberKind(Enum):
    """What a number with a style is."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    ELAPSED = "elapsed"


def read_styles(container: Container, name: str | None) -> list[NumberKind]:
    """The kind of each cell style, in order; none where the workbook has no styles."""
    if name is None or name not in container:
        return []
    codes: dict[int, str] = {}
    styles: list[int] = []
    inside = False

    def start(local: str, attributes: Attributes) -> None:
        nonlocal inside
        if local == "cellXfs":
            inside = True
        elif local == "numFmt":
            codes[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif inside and len(styles) < _MOST_STYLES:
            styles.append(_number(attributes.get("numFmtId")))

    def end(local: str) -> None:
        nonlocal inside
        if local == "cellXfs":
            inside = False

    Events(container, names("cellXfs", "numFmt", "xf"), start, end).run(container.chunks(name))
    kinds = {identifier: kind_of_number(identifier, codes.get(identifier)) for identifier in set(styles)}
    return [kinds[identifier] for identifier in styles]


def kind_of_number(identifier: int, code: str | None) -> NumberKind:
    """What a number in this format is.

    Args:
        identifier: The format's number.
        code: Its code, where the workbook gives one.
    """
    if code is None:
        return (
            NumberKind.DATE
            if identifier in _DATES
            else NumberKind.ELAPSED
            if identifier == 46
            else NumberKind.TIME
            if identifier in _TIMES
            else NumberKind.NUMBER
        )
    section = _NO_DATE.sub("", code).partition(";")[0]
    if _ELAPSED.search(section):
        return NumberKind.ELAPSED
    letters = set(_BRACKETS.sub("", section).lower())
    if letters & set("yedgab"):
        return NumberKind.DATE
    if letters & set("hs"):
        return NumberKind.TIME
    return NumberKind.DATE if "m" in letters else NumberKind.NUMBER


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 0
