"""Deliveries that are late, or came in part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from threegaps.ledger.incidents import Cause
from threegaps.standards.moments import clock
from threegaps.watch.looks.wording import Names, lasting, listed, named
from threegaps.watch.readings import OwedFeed

CRITICAL_AFTER = dt.timedelta(days=7)
"""A delivery that has been missing for so long is a grave matter."""


def seen(owed: Sequence[OwedFeed], names: Names, now: dt.datetime) -> list[Cause]:
    """One cause for each feed of which nothing has come of some delivery, one for each of which not all has come.

    Args:
        owed: What feeds owe.
        names: Names of feeds.
        now: The instant that lateness is judged by: the sandbox has its own.
    """
    causes = []
    for one in owed:
        if one.missing:
            causes.append(_late(one, names, now))
        if one.partly or one.counties:
            causes.append(_incomplete(one, names, now))
    return causes


def _late(owed: OwedFeed, names: Names, now: dt.datetime) -> Cause:
    feed_zh, feed_en = named(owed.feed, names)
    deliveries_zh, deliveries_en = listed(owed.missing)
    late_zh, late_en = lasting(owed.since, now)
    return Cause(
        kind="feed_late",
        about=owed.feed,
        gravity="critical" if now - owed.since >= CRITICAL_AFTER else "warning",
        title_zh=f"{feed_zh}迟到:{deliveries_zh}",
        title_en=f"{feed_en} is late: {deliveries_en}",
        detail_zh=f"最早的应于{clock(owed.since)}前到,已迟到{late_zh}。",
        detail_en=f"The oldest was due by {clock(owed.since)}, {late_en} ago.",
        feeds=(owed.feed,),
    )


def _incomplete(owed: OwedFeed, names: Names, now: dt.datetime) -> Cause:
    feed_zh, feed_en = named(owed.feed, names)
    deliveries = sorted({*owed.partly, *owed.counties})
    deliveries_zh, deliveries_en = listed(deliveries)
    lack_zh, _ = listed([f"{delivery}缺{count}个县(市、区)" for delivery, count in sorted(owed.counties.items())])
    _, lack_en = listed(
        [
            f"{delivery} lacks {count} {'county' if count == 1 else 'counties'}"
            for delivery, count in sorted(owed.counties.items())
        ]
    )
    return Cause(
        kind="feed_incomplete",
        about=owed.feed,
        gravity="warning",
        title_zh=f"{feed_zh}未到齐:{deliveries_zh}",
        title_en=f"{feed_en} is not complete: {deliveries_en}",
        detail_zh=f"应于{clock(owed.since)}前到齐。{f'{lack_zh}。' if lack_zh else ''}",
        detail_en=f"All was due by {clock(owed.since)}.{f' {_capital(lack_en)}.' if lack_en else ''}",
        feeds=(owed.feed,),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
