"""For how long landed copies are kept: as the contract says, and never under what the law demands."""

from __future__ import annotations

import datetime as dt

from threegaps.calendar import add_months
from threegaps.contracts.model import Contract

LEAST_MONTHS = 24
"""Raw data of a survey are kept at least two years (统计法实施条例第二十二条、第二十三条)."""

LEAST_SUMMARY_MONTHS = 120
"""Summaries are kept at least ten (第二十二条)."""


def least_months(*, is_summary: bool) -> int:
    """For how many months the law has a feed's rows kept, by whether they are summaries."""
    return LEAST_SUMMARY_MONTHS if is_summary else LEAST_MONTHS


def copies_end_before(contract: Contract, day: dt.date, *, at_most_days: int | None = None) -> dt.date:
    """The day before which arrivals of a feed are old enough, on *day*, for their copies to end.

    Args:
        contract: The feed's, whose retention decides.
        day: The day of asking, in the province's calendar.
        at_most_days: A shorter period that a deployment asks for; what the law demands is kept all the same.
    """
    end = add_months(day, -contract.retention_months)
    if at_most_days is not None:
        end = max(end, day - dt.timedelta(days=at_most_days))
    return min(end, add_months(day, -least_months(is_summary=contract.is_summary)))
