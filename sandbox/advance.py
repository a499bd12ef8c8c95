"""Let time go on: what falls due until a day comes, and the departments know what they knew then."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sandbox import clock, deliveries, records, sending
from sandbox.calendar import HORIZON


def upcoming(home: Path, day: date) -> list[dict[str, object]]:
    """What will come until `day`, and what will be due and not come.

    Raises:
        ValueError: The day lies before the sandbox's own, or after the last one that it is made for.
    """
    before = clock.today(home)
    if day < before:
        raise ValueError(f"the sandbox stands on {before} already")
    if day > HORIZON:
        raise ValueError(f"the sandbox is made up to {HORIZON}")
    return sending.expected(home, before, day)


def advance(home: Path, day: date) -> list[dict[str, object]]:
    """Move the sandbox to `day`. Returns what came until then, and what was due and did not.

    Files are put where readers find them, in the order of their days; the gateway follows the clock with its next
    answer; the databases have to be loaded again. Interrupted, it is done again with the same day.

    Raises:
        ValueError: The day lies before the sandbox's own, or after the last one that it is made for.
    """
    moved = upcoming(home, day)
    deliveries.deliver(home, day)
    clock.set_today(home, day)
    records.publish(home, day)
    return moved
