"""Whether what is delivered as a whole period speaks of that period at all, or is the file of another one."""

from __future__ import annotations

from collections.abc import Iterable

from threegaps.calendar import Delivery
from threegaps.ledger.touches import OPEN_END, AreaPeriod

WRONG_PERIOD = "delivery_period"
"""The rule that stops a full delivery none of whose rows speaks of its own period."""


def speaks_of(touched: Iterable[AreaPeriod], delivery: Delivery) -> bool:
    """Whether any of what a batch touched ends within the delivery."""
    return any(
        last != OPEN_END and last >= delivery.start and last.replace(day=1) <= delivery.end for _, _, last in touched
    )


def other_period(delivery: Delivery) -> tuple[str, str]:
    """What is said where no row speaks of the delivery, in English and Chinese."""
    return (
        f"no row speaks of {delivery}: this looks like the file of another period.",
        f"没有一行数据属于{delivery}:疑为其他时期的文件。",
    )


def part_of_other_period(part: str, delivery: Delivery) -> tuple[str, str]:
    """What is said where no row of one part speaks of the delivery, in English and Chinese."""
    return (
        f"no row of {part} speaks of {delivery}: this looks like a part of another period.",
        f"{part}中没有一行数据属于{delivery}:疑为其他时期的文件。",
    )
