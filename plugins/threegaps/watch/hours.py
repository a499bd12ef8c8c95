"""Working hours: when somebody reads what does not wake anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from threegaps.settings import SHANGHAI
from threegaps.standards.working_days import is_working_day

_LONGEST_HOLIDAY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Span:
    """From one time of day until another, by Shanghai's clock; over midnight where the second is not the later one.

    Args:
        start: The first moment that belongs to it.
        end: The first one that does not.
    """

    start: dt.time
    end: dt.time

    def holds(self, moment: dt.datetime) -> bool:
        """Whether *moment* lies in it."""
        time = moment.astimezone(SHANGHAI).time()
        if self.start < self.end:
            return self.start <= time < self.end
        return time >= self.start or time < self.end


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The same hours on each working day.

    Args:
        span: Within one day.
        is_working_day: The calendar: public holidays, and weekends that are worked instead.
    """

    span: Span = Span(dt.time(9), dt.time(18))
    is_working_day: Callable[[dt.date], bool] = is_working_day

    def hold(self, moment: dt.datetime) -> bool:
        """Whether *moment* is in working hours."""
        return self.is_working_day(moment.astimezone(SHANGHAI).date()) and self.span.holds(moment)

    def next_from(self, moment: dt.datetime) -> dt.datetime:
        """*moment*, where it is in working hours, else when the next ones begin."""
        if self.hold(moment):
            return moment
        day = moment.astimezone(SHANGHAI).date()
        for _ in range(_LONGEST_HOLIDAY_DAYS):
            begin = dt.datetime.combine(day, self.span.start, SHANGHAI)
            if begin >= moment and self.is_working_day(day):
                return begin
            day += dt.timedelta(days=1)
        return moment  # a calendar without working days: better now than never
