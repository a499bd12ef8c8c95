"""Batches that stopped, feeds that shrink, and refused shares that rise against the feed's own past."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import statistics
from collections.abc import Sequence

from threegaps.ledger.batches import SHRUNK, are_gone, shrinking_below, shrinks
from threegaps.ledger.incidents import Cause
from threegaps.standards.moments import clock
from threegaps.watch.looks.wording import Names, lasting, named
from threegaps.watch.readings import FeedHistory, LoadedDelivery, Sending, SentAgain, StoppedBatch

RISES_FROM_ROWS = 20
"""Fewer refused rows say nothing of a share."""
RISES_BY_FACTOR = 3.0
RISES_BY_POINTS = 2.0
"""A share rises when it is so many times the usual one, and so many percentage points above it."""
PAST_DELIVERIES = 3
"""So many earlier deliveries say what is usual."""


def stopped(batches: Sequence[StoppedBatch], names: Names, now: dt.datetime) -> list[Cause]:
    """One cause for each feed whose newest batch was stopped or failed, whatever number of rules it broke."""
    causes = []
    for batch in batches:
        feed_zh, feed_en = named(batch.feed, names)
        long_zh, long_en = lasting(batch.finished_at, now)
        rule = batch.stop_rule
        accept = f'threegaps batches accept {batch.batch_id} --why "..."'
        do_zh, do_en = (
            f"请询问部门:由其重新报送;如确属有意,执行`{accept}`。",
            f" Ask the department, which sends again; if it is meant: `{accept}`.",
        )
        if rule != SHRUNK:
            do_zh = do_en = ""
        title_zh = f"{feed_zh}:{batch.delivery}的批次{batch.batch_id}" + (f"被规则{rule}停止" if rule else "处理失败")
        title_en = f"{feed_en}: batch {batch.batch_id} of {batch.delivery} " + (
            f"was stopped by {rule}" if rule else "failed"
        )
        causes.append(
            Cause(
                kind="feed_batch_failed" if batch.status == "failed" else "feed_stopped",
                about=batch.feed,
                gravity="warning",
                title_zh=title_zh,
                title_en=title_en,
                detail_zh=f"自{clock(batch.finished_at)}起({long_zh})。{batch.message_zh}{do_zh}",
                detail_en=f"Since {clock(batch.finished_at)} ({long_en}). {batch.message_en}{do_en}",
                feeds=(batch.feed,),
                occasions=(str(batch.batch_id),),
            )
        )
    return causes


def shrinking(histories: Sequence[FeedHistory], names: Names) -> list[Cause]:
    """One cause for each feed whose last delivery has far fewer rows than the one before."""
    causes = []
    for history in histories:
        if not _shrinks(history):
            continue
        last, before = history.deliveries[:2]
        feed_zh, feed_en = named(history.feed, names)
        share = shrinking_below(history.delivery_kind)
        least = math.ceil(before.received * share)
        causes.append(
            Cause(
                kind="feed_shrinking",
                about=history.feed,
                gravity="warning",
                title_zh=f"{feed_zh}数据缩减:{last.delivery}有{last.received:,}行,上期{before.received:,}行",
                title_en=f"{feed_en} is shrinking: {last.received:,} rows in {last.delivery},"
                f" {before.received:,} in {before.delivery}",
                detail_zh=f"批次{last.batch_id},{clock(last.finished_at)}载入;不到上期的{share:.0%}"
                f"({least:,}行)即视为缩减。请询问部门:由其重新报送;如确属有意,"
                "以`threegaps incidents resolve`写明原因了结。",
                detail_en=f"Batch {last.batch_id}, loaded at {clock(last.finished_at)}; {least:,} rows at least,"
                f" {share:.0%} of the delivery before, were expected. Ask the department, which sends again;"
                " if it is meant, say so with `threegaps incidents resolve`.",
                feeds=(history.feed,),
                occasions=(str(last.batch_id),),
            )
        )
    return causes


def rows_gone(sent_again: Sequence[SentAgain], histories: Sequence[FeedHistory], names: Names) -> list[Cause]:
    """One cause for each delivery, however old, that lacks rows since it was sent again; not where its feed shrinks.

    What somebody has said is meant is what later sendings are compared with.
    """
    shrinking_now = {(one.feed, one.deliveries[0].delivery) for one in histories if _shrinks(one)}
    causes = []
    for one in sent_again:
        found = _gone(one.sendings)
        if found is None or (one.feed, one.delivery) in shrinking_now:
            continue
        before, gone = found
        last = one.sendings[-1]
        feed_zh, feed_en = named(one.feed, names)
        causes.append(
            Cause(
                kind="feed_rows_gone",
                about=f"{one.feed} {one.delivery}",
                gravity="warning",
                title_zh=f"{feed_zh}:{one.delivery}重新报送后,原有的{before.rows:,}行中有{gone:,}行不再出现",
                title_en=f"{feed_en}: {gone:,} of {before.rows:,} rows of {one.delivery} are no longer there since it"
                " was sent again",
                detail_zh=f"批次{last.batch_id},{clock(last.finished_at)}载入,{last.rows:,}行;此前批次{before.batch_id}"
                f"有{before.rows:,}行。请询问部门:由其重新报送;如确属有意,"
                "以`threegaps incidents resolve`写明原因了结。",
                detail_en=f"Batch {last.batch_id}, loaded at {clock(last.finished_at)}, has {last.rows:,} rows; batch"
                f" {before.batch_id} had {before.rows:,}. Ask the department, which sends again; if it is meant, say so"
                " with `threegaps incidents resolve`.",
                feeds=(one.feed,),
                occasions=(str(last.number),),
            )
        )
    return causes


def _gone(sendings: Sequence[Sending]) -> tuple[Sending, int] | None:
    """The sending that has what the last one lacks, and how many rows that are; None where it lacks nothing notable.

    Compared are the numbers of rows, with the fullest sending since one that was meant; and what all since then took
    away, although the last may have as many rows, less what came back later and what the last one has but refused.
    """
    since = max((place for place, one in enumerate(sendings) if one.is_meant), default=0)
    compared = sendings[since:]
    last, fullest = compared[-1], max(compared, key=lambda one: one.rows)
    if are_gone(fullest.rows - last.rows, fullest.rows):
        return fullest, fullest.rows - last.rows
    before, gone = compared[0], 0
    for earlier, one in itertools.pairwise(compared):
        # What a sending brings back is not what it takes away itself.
        gone = max(0, gone - one.back)
        if not gone:
            before = earlier
        gone += one.gone
    lacking = min(gone - last.refused, before.rows)
    return (before, lacking) if are_gone(lacking, before.rows) else None


def _shrinks(history: FeedHistory) -> bool:
    """Whether the feed's last delivery is far smaller than the one before, and nobody has said that it is meant."""
    if len(history.deliveries) < 2:
        return False
    last, before = history.deliveries[:2]
    return not last.is_accepted and shrinks(last.received, before.received, history.delivery_kind)


def refused_share(histories: Sequence[FeedHistory], names: Names) -> list[Cause]:
    """One cause for each feed of whose last delivery a far larger share was refused than is usual for it."""
    causes = []
    for history in histories:
        if len(history.deliveries) <= PAST_DELIVERIES:
            continue
        last, *past = history.deliveries
        share, usual = _percent(last), statistics.median(map(_percent, past))
        if last.refused < RISES_FROM_ROWS or share < rising_from(usual):
            continue
        feed_zh, feed_en = named(history.feed, names)
        causes.append(
            Cause(
                kind="refused_share_rising",
                about=history.feed,
                gravity="warning",
                title_zh=f"{feed_zh}拒收比例上升:{last.delivery}拒收{share:.1f}%,往常{usual:.1f}%",
                title_en=f"{feed_en}: {share:.1f} % of {last.delivery} were refused, usually {usual:.1f} %",
                detail_zh=f"批次{last.batch_id},{clock(last.finished_at)}载入,拒收{last.refused:,}行。",
                detail_en=f"Batch {last.batch_id}, loaded at {clock(last.finished_at)}, {last.refused:,} rows refused.",
                feeds=(history.feed,),
                occasions=(str(last.batch_id),),
            )
        )
    return causes


def rising_from(usual: float) -> float:
    """The share, in per cent, from which it is far larger than the *usual* one."""
    return max(usual * RISES_BY_FACTOR, usual + RISES_BY_POINTS)


def _percent(delivery: LoadedDelivery) -> float:
    return 100 * delivery.refused / delivery.received if delivery.received else 0.0
