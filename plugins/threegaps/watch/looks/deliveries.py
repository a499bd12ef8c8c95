"""Deliveries that are late, or came in part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from threegaps.airflow_api import PausedDag, feed_dag
from threegaps.calendar import in_order
from threegaps.ledger.incidents import Cause
from threegaps.standards.areas import county_named
from threegaps.standards.moments import clock
from threegaps.watch.looks.wording import Names, lasting, listed, named
from threegaps.watch.readings import OwedFeed

CRITICAL_AFTER = dt.timedelta(days=7)
"""A delivery that has been missing for so long is a grave matter."""


def seen(
    owed: Sequence[OwedFeed], names: Names, now: dt.datetime, paused: Mapping[str, PausedDag] | None = None
) -> list[Cause]:
    """One cause for each feed of which nothing has come of some delivery, one for each of which not all has come.

    Args:
        owed: What feeds owe.
        names: Names of feeds.
        now: The instant that lateness is judged by: the sandbox has its own.
        paused: The DAGs that are paused in Airflow; None where that cannot be told.
    """
    causes = []
    for one in owed:
        if one.missing:
            causes.append(_late(one, names, now, paused))
        if one.partly or one.counties:
            causes.append(_incomplete(one, names, now))
    return causes


def _late(owed: OwedFeed, names: Names, now: dt.datetime, paused: Mapping[str, PausedDag] | None) -> Cause:
    feed_zh, feed_en = named(owed.feed, names)
    deliveries_zh, deliveries_en = listed(owed.missing)
    late_zh, late_en = lasting(owed.since, now)
    paused_zh, paused_en = of_pause(owed.feed, paused)
    return Cause(
        kind="feed_late",
        about=owed.feed,
        gravity="critical" if now - owed.since >= CRITICAL_AFTER else "warning",
        title_zh=f"{feed_zh}迟到:{deliveries_zh}",
        title_en=f"{feed_en} is late: {deliveries_en}",
        detail_zh=f"自{clock(owed.since)}起,已迟到{late_zh}。{paused_zh}",
        detail_en=f"Late since {clock(owed.since)}, for {late_en}.{paused_en}",
        feeds=(owed.feed,),
        occasions=tuple(owed.missing),
    )


def of_pause(feed: str, paused: Mapping[str, PausedDag] | None) -> tuple[str, str]:
    """A sentence on the pause of a feed's DAG in Airflow, in Chinese and in English; empty where it is not paused."""
    if paused is None:
        return "其 DAG 在 Airflow 中是否已暂停,无法得知。", " Whether its DAG is paused in Airflow cannot be told."
    found = paused.get(feed_dag(feed))
    if found is None:
        return "", ""
    since_zh, since_en = (f"自{clock(found.since)}起", f" since {clock(found.since)}") if found.since else ("", "")
    by_zh, by_en = (f"由{found.by}", f" by {found.by}") if found.by else ("", "")
    return (
        f"其 DAG {since_zh}{by_zh}在 Airflow 中暂停,恢复之前不会取数。",
        f" Its DAG is paused in Airflow{since_en}{by_en}: nothing is fetched until somebody lets it run.",
    )


def _incomplete(owed: OwedFeed, names: Names, now: dt.datetime) -> Cause:
    feed_zh, feed_en = named(owed.feed, names)
    deliveries = in_order({*owed.partly, *owed.counties})
    deliveries_zh, deliveries_en = listed(deliveries)
    lacks = [_lacking(owed, delivery) for delivery in in_order(owed.counties)]
    return Cause(
        kind="feed_incomplete",
        about=owed.feed,
        gravity="warning",
        title_zh=f"{feed_zh}未到齐:{deliveries_zh}",
        title_en=f"{feed_en} is not complete: {deliveries_en}",
        detail_zh=f"自{clock(owed.since)}起欠缺。{''.join(zh for zh, _ in lacks)}",
        detail_en=" ".join([f"Parts have been lacking since {clock(owed.since)}.", *(en for _, en in lacks)]),
        feeds=(owed.feed,),
        occasions=tuple(deliveries),
    )


def _lacking(owed: OwedFeed, delivery: str) -> tuple[str, str]:
    """Which counties a delivery lacks, by name, in a sentence in Chinese and in one in English."""
    names = [county_named(code) for code in owed.counties[delivery]]
    zh, en = listed(names)
    count, of = len(names), max(len(names), owed.counties_owing.get(delivery, 0))
    return f"{delivery}缺{count}/{of}个县(市、区):{zh}。", f"{delivery} lacks {count} of the {of} counties: {en}."
