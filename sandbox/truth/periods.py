"""Months, quarters and years of which something is said on the opening day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.calendar import FIRST_MONTH, OPENING_DAY, add_months

HORIZON = OPENING_DAY


@dataclass(frozen=True, slots=True)
class Period:
    """A month, quarter or year; `reference` = its end or the horizon, whichever is earlier."""

    kind: str
    start: date
    end: date

    @property
    def reference(self) -> date:
        """Day on which stocks are counted."""
        return min(self.end, HORIZON)

    def shifted(self, months: int) -> Period:
        """The period of the same length `months` later."""
        start = add_months(self.start, months)
        length = {"month": 1, "quarter": 3, "year": 12}[self.kind]
        return Period(self.kind, start, add_months(start, length) - timedelta(days=1))


def periods(kind: str) -> list[Period]:
    """Periods of the window."""
    if kind == "year":
        return [Period("year", date(year, 1, 1), date(year, 12, 31)) for year in (2024, 2025, 2026)]
    step = {"month": 1, "quarter": 3}[kind]
    starts = [add_months(FIRST_MONTH, number) for number in range(0, 24, step)]
    return [Period(kind, start, add_months(start, step) - timedelta(days=1)) for start in starts]
