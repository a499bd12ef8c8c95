"""Deliveries and periods, in the province's calendar.

A batch belongs to its *delivery* (what a department hands over at once, `2026-06-03`, `2026-06`, `2026Q2`,
`2025-2026-1`, `2026`); its rows belong to the *periods* that they speak of (month, quarter, year).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from threegaps.errors import SettingsError
from threegaps.settings import SHANGHAI

Cadence = Literal["day", "month", "quarter", "term", "year"]

_YEARS = range(1990, 2101)
"""What lies outside is a slip of the keyboard; at the calendar's own ends there is no delivery before or after."""

CADENCES: tuple[Cadence, ...] = get_args(Cadence)

_KEY_PATTERNS: dict[Cadence, re.Pattern[str]] = {
    "day": re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"),
    "month": re.compile(r"([0-9]{4})-([0-9]{2})"),
    "quarter": re.compile(r"([0-9]{4})Q([1-4])"),
    "term": re.compile(r"([0-9]{4})-([0-9]{4})-([12])"),
    "year": re.compile(r"([0-9]{4})"),
}
EXAMPLES: dict[Cadence, str] = {
    "day": "2026-06-03",
    "month": "2026-06",
    "quarter": "2026Q2",
    "term": "2025-2026-1",
    "year": "2026",
}
"""A delivery's key as it is written, by cadence."""


@dataclass(frozen=True, slots=True, order=True)
class Delivery:
    """What a department hands over at once, by its first day.

    School terms run from September to January (1) and from February to August (2), as Zhejiang's schools count them.
    """

    start: dt.date
    cadence: Cadence

    @classmethod
    def parse(cls, cadence: Cadence, key: str | None) -> Delivery:
        """The delivery that *key* names.

        Raises:
            SettingsError: *key* is missing or not a key of this cadence: a delivery is never guessed from a clock; or
                it lies outside the years 1990 to 2100.
        """
        match = _KEY_PATTERNS[cadence].fullmatch(key or "")
        if match is None:
            raise SettingsError(
                f"{key!r} is not a delivery of a feed that comes by {cadence}.",
                advice=f"give the delivery as partition key, like {EXAMPLES[cadence]}.",
            )
        numbers = [int(group) for group in match.groups()]
        if numbers[0] not in _YEARS:
            raise SettingsError(
                f"{key!r} lies outside the years {_YEARS[0]} to {_YEARS[-1]}.",
                advice=f"give the delivery as partition key, like {EXAMPLES[cadence]}.",
            )
        try:
            if cadence == "day":
                return cls(dt.date(*numbers), cadence)
            if cadence == "month":
                return cls(dt.date(numbers[0], numbers[1], 1), cadence)
            if cadence == "quarter":
                return cls(dt.date(numbers[0], 3 * numbers[1] - 2, 1), cadence)
            if cadence == "year":
                return cls(dt.date(numbers[0], 1, 1), cadence)
        except ValueError as error:
            raise SettingsError(
                f"{key!r} names no date: {error}.", advice=f"write it like {EXAMPLES[cadence]}."
            ) from None
        if numbers[1] != numbers[0] + 1:
            raise SettingsError(f"{key!r} names no school year.", advice="write it like 2025-2026-1.")
        return cls(dt.date(numbers[0], 9, 1) if numbers[2] == 1 else dt.date(numbers[1], 2, 1), cadence)

    @classmethod
    def containing(cls, cadence: Cadence, day: dt.date) -> Delivery:
        """The delivery whose days include *day*."""
        if cadence == "day":
            return cls(day, cadence)
        if cadence == "month":
            return cls(day.replace(day=1), cadence)
        if cadence == "quarter":
            return cls(dt.date(day.year, 3 * ((day.month - 1) // 3) + 1, 1), cadence)
        if cadence == "year":
            return cls(dt.date(day.year, 1, 1), cadence)
        if day.month >= 9:
            return cls(dt.date(day.year, 9, 1), cadence)
        return cls(dt.date(day.year, 2, 1) if day.month >= 2 else dt.date(day.year - 1, 9, 1), cadence)

    @classmethod
    def of_key(cls, key: str) -> Delivery:
        """The delivery that *key* names, of whatever cadence: no key of one is a key of another.

        Raises:
            SettingsError: It is a key of none.
        """
        found = next((cadence for cadence, pattern in _KEY_PATTERNS.items() if pattern.fullmatch(key)), None)
        if found is None:
            raise SettingsError(f"{key!r} is not a delivery.", advice=f"write it like {', '.join(EXAMPLES.values())}.")
        return cls.parse(found, key)

    @property
    def place(self) -> tuple[dt.date, dt.date]:
        """Where it stands in time, beside those of other cadences too: by its last day, then by its first.

        The text of its key says that of one cadence only: ``2026Q2`` comes before ``2026-12``.
        """
        return self.end, self.start

    @property
    def key(self) -> str:
        """The partition key: what DAG runs, landing and ledger call it."""
        if self.cadence == "day":
            return self.start.isoformat()
        if self.cadence == "month":
            return f"{self.start:%Y-%m}"
        if self.cadence == "quarter":
            return f"{self.start.year}Q{(self.start.month + 2) // 3}"
        if self.cadence == "year":
            return str(self.start.year)
        first = self.start.year if self.start.month == 9 else self.start.year - 1
        return f"{first}-{first + 1}-{1 if self.start.month == 9 else 2}"

    @property
    def version(self) -> int:
        """The version of what a full list says, by its last day: a later list's rows are newer, whenever they came."""
        return version_of_list(self.end)

    @property
    def end(self) -> dt.date:
        """The last day, inclusive."""
        return self.next().start - dt.timedelta(days=1)

    def next(self) -> Delivery:
        """The delivery that follows."""
        if self.cadence == "day":
            return Delivery(self.start + dt.timedelta(days=1), self.cadence)
        if self.cadence == "term":
            months = 5 if self.start.month == 9 else 7
        else:
            months = {"month": 1, "quarter": 3, "year": 12}[self.cadence]
        return Delivery(add_months(self.start, months), self.cadence)

    def previous(self) -> Delivery:
        """The delivery before."""
        return Delivery.containing(self.cadence, self.start - dt.timedelta(days=1))

    def __str__(self) -> str:
        return self.key


def version_of_list(last_day: dt.date) -> int:
    """The version of what a full list says that stands for its *last_day*, of whatever cadence."""
    return (last_day - dt.date(2000, 1, 1)).days


def of_cadence(cadence: Cadence, keys: Iterable[str]) -> list[Delivery]:
    """The deliveries of this cadence among *keys*: a feed whose cadence changed keeps keys of the one before."""
    return [Delivery.parse(cadence, key) for key in keys if _KEY_PATTERNS[cadence].fullmatch(key)]


def in_order(keys: Iterable[str]) -> list[str]:
    """Keys of deliveries, of whatever cadence, in the order of time."""
    return sorted(keys, key=lambda key: Delivery.of_key(key).place)


def deliveries_between(cadence: Cadence, first: str, last: str) -> Iterator[Delivery]:
    """Every delivery from *first* to *last*, both included, in order."""
    current, end = Delivery.parse(cadence, first), Delivery.parse(cadence, last)
    while current.start <= end.start:
        yield current
        current = current.next()


def add_months(day: dt.date, months: int) -> dt.date:
    """*day* moved by whole months; the day of the month is cut to the month's length."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


def today() -> dt.date:
    """The day in the province; for the edges (a command, a claim), never inside a computation."""
    return dt.datetime.now(SHANGHAI).date()
