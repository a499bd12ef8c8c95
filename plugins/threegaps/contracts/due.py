"""By when a delivery is owed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from croniter import croniter

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.settings import SHANGHAI
from threegaps.standards.working_days import working_day_from


def due_moment(contract: Contract, delivery: Delivery) -> dt.datetime:
    """The moment by which *delivery* is to have come whole: before it nothing of it is late.

    It is the first tick of the contract's cron once the delivery's days are over, moved to the next working day at the
    same time where the contract says so, and the grace that fetching takes. The DAG itself runs on the tick.
    """
    return next(due_moments(contract, delivery))


def due_moments(contract: Contract, first: Delivery) -> Iterator[dt.datetime]:
    """The due moments of *first* and of every delivery after it, in order, without end."""
    delivery, tick = first, _end(first) - dt.timedelta(seconds=1)
    ticks = croniter(contract.due_cron, tick)
    while True:
        while tick < _end(delivery):
            tick = ticks.get_next(dt.datetime)
        day = working_day_from(tick.date()) if moves_to_working_day(contract) else tick.date()
        due = dt.datetime.combine(day, tick.time(), SHANGHAI)
        yield due + dt.timedelta(minutes=contract.grace_minutes)
        delivery = delivery.next()


def _end(delivery: Delivery) -> dt.datetime:
    """When its days are over, by the province's clock, as the cron is."""
    return dt.datetime.combine(delivery.next().start, dt.time.min)


def moves_to_working_day(contract: Contract) -> bool:
    """Whether a due day on which offices are closed moves to the next one on which they are open."""
    if contract.due_on_day_off is None:
        return contract.cadence != "day"
    return contract.due_on_day_off == "next_working_day"


def last_due(contract: Contract, now: dt.datetime) -> Delivery:
    """The latest delivery of *contract* that is due at *now*, an instant with its zone."""
    delivery = Delivery.containing(contract.cadence, now.astimezone(SHANGHAI).date()).previous()
    while due_moment(contract, delivery) > now:
        delivery = delivery.previous()
    return delivery
