"""The five fields of a cron expression, checked without the library that runs it: contracts are read at every parse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator

_ITEM = re.compile(r"(?P<all>\*)|(?P<first>[0-9a-z]+)(?:-(?P<last>[0-9a-z]+))?")
_LAST_DAY = "l"
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: Mapping[str, int] = field(default_factory=dict)

    def values(self, written: str) -> frozenset[int]:
        return frozenset(value for item in written.split(",") for value in self._of(item))

    def _of(self, item: str) -> range:
        span, slash, step = item.partition("/")
        match = _ITEM.fullmatch(span)
        if match is None or (slash and not (step.isascii() and step.isdigit() and int(step) > 0)):
            raise ValueError(f"{item!r} is no {self.name}, and no list or range of them")
        low = self.low if match["all"] else self._number(match["first"])
        high = self._number(match["last"]) if match["last"] else (self.high if match["all"] or slash else low)
        if low > high:
            raise ValueError(f"{item!r} is a range of {self.name}s that ends before it begins")
        return range(low, high + 1, int(step) if slash else 1)

    def _number(self, written: str) -> int:
        number = self.words.get(written, int(written) if written.isdigit() else -1)
        if not self.low <= number <= self.high:
            raise ValueError(f"{written!r} is no {self.name} ({self.low} to {self.high})")
        return number


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {word: number for number, word in enumerate(_MONTHS, 1)}),
    _Field("day of the week", 0, 7, {word: number for number, word in enumerate(_WEEKDAYS)}),
)


def _is_cron(written: str) -> str:
    """The expression itself; ``L`` among the days of the month is the last one."""
    parts = written.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            f"has {len(parts)} fields: a cron expression has five, minute, hour, day, month and day of the week, like"
            " '0 8 20 * *'"
        )
    has_last_day = _LAST_DAY in parts[2].split(",")
    parts[2] = ",".join(item for item in parts[2].split(",") if item != _LAST_DAY) or "31"
    _, _, days, months, _ = (field.values(part) for field, part in zip(_FIELDS, parts, strict=True))
    if parts[4] == "*" and not has_last_day and min(days) > max(_LONGEST[month - 1] for month in months):
        raise ValueError(f"never comes: none of its months has a day {min(days)}")
    return written


Cron = Annotated[str, AfterValidator(_is_cron)]
"""A cron expression of five fields."""
