"""The periods of which something can be said on the opening day: whole ones, and the year to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.calendar import FIRST_MONTH, FIRST_TERM, FIRST_WAGE_MONTH, OPENING_DAY, add_months

HORIZON = OPENING_DAY
# Some lists and returns come once a year.
LAST_YEARLY_LIST = date(2025, 12, 31)
LENGTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """A month, quarter, year, year to date or day, by its first and last day."""

    kind: str
    start: date
    end: date

    def shifted(self, months: int) -> Period:
        """The period of the same length `months` later."""
        start = add_months(self.start, months)
        return Period(self.kind, start, add_months(start, LENGTHS[self.kind]) - timedelta(days=1))


def periods(*kinds: str, since: date = FIRST_MONTH) -> list[Period]:
    """Periods of these kinds that lie whole in the window, which begins *since* a day: flows and cohorts."""
    return [period for kind in kinds for period in _all(kind) if period.start >= since and period.end <= HORIZON]


def years_of_wages() -> list[Period]:
    """Years of which contribution wages speak, whatever else is known of them."""
    return periods("year", since=FIRST_WAGE_MONTH)


def days(*kinds: str, since: date = FIRST_MONTH) -> list[Period]:
    """Periods of these kinds that end in the window, which begins *since* a day: stocks on their last day."""
    return [period for kind in kinds for period in _all(kind) if since <= period.end <= HORIZON]


def years_of_terms() -> list[Period]:
    """Years at whose end something is known of what schools send by the term."""
    return days("year", since=FIRST_TERM)


def _all(kind: str) -> list[Period]:
    if kind == "ytd":
        return [
            Period("ytd", date(year, 1, 1), add_months(date(year, 1, 1), months) - timedelta(days=1))
            for year in range(FIRST_MONTH.year, HORIZON.year + 1)
            for months in range(1, 12)
        ]
    length = LENGTHS[kind]
    first, count = date(FIRST_WAGE_MONTH.year, 1, 1), (HORIZON.year - FIRST_WAGE_MONTH.year + 1) * 12 // length
    starts = [add_months(first, number * length) for number in range(count)]
    return [Period(kind, start, add_months(start, length) - timedelta(days=1)) for start in starts]
