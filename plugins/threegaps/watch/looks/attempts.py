"""Attempts that failed: connections that are dead, and feeds that fail for reasons of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from threegaps.labels import CAUSES
from threegaps.ledger.attempts import OF_CONNECTIONS, Failing
from threegaps.ledger.incidents import Cause
from threegaps.standards.moments import clock
from threegaps.watch.looks.wording import Names, lasting, listed, named

SEEN_ELSEWHERE = frozenset({"warehouse_down", "stopped", "being_written"})
"""Causes that the warehouse itself, the stopped batch and the due moment show."""


def seen(failed: Sequence[Failing], names: Names, now: dt.datetime) -> list[Cause]:
    """One cause for each dead connection with all feeds behind it, one for each feed that fails otherwise."""
    causes = []
    dead: dict[str, list[Failing]] = {}
    failing: dict[str, list[Failing]] = {}
    for attempt in failed:
        if attempt.cause in OF_CONNECTIONS:
            dead.setdefault(connection_of(attempt), []).append(attempt)
        elif attempt.cause not in SEEN_ELSEWHERE:
            failing.setdefault(attempt.feed, []).append(attempt)
    for connection, attempts in sorted(dead.items()):
        causes.append(_unreachable(connection, attempts, now))
    for feed, attempts in sorted(failing.items()):
        causes.append(_failing(feed, attempts, names, now))
    return causes


def connection_of(attempt: Failing) -> str:
    """What the feeds behind one dead connection have in common: the connection, else the address, else the feed."""
    if attempt.connection_id:
        return attempt.connection_id
    return _address(attempt) or attempt.feed


def _unreachable(connection: str, attempts: Sequence[Failing], now: dt.datetime) -> Cause:
    last = max(attempts, key=lambda one: one.last_at)
    since = min(one.since for one in attempts)
    feeds = tuple(sorted({one.feed for one in attempts}))
    why_zh, why_en = CAUSES.get(last.cause, (last.cause, last.cause))
    long_zh, long_en = lasting(since, now)
    feeds_zh, feeds_en = listed(feeds)
    tried = sum(one.failures for one in attempts)
    where = _address(last)
    return Cause(
        kind="feed_unreachable",
        about=connection,
        gravity="warning",
        title_zh=f"无法连接{connection}:{why_zh}{f'({where})' if where else ''}",
        title_en=f"connection {connection}: {why_en}{f' ({where})' if where else ''}",
        detail_zh=f"自{clock(since)}起({long_zh}),已试{tried}次;涉及{feeds_zh}。{last.message_zh}",
        detail_en=f"Since {clock(since)} ({long_en}), tried {_times(tried)}; behind it: {feeds_en}. {last.message_en}",
        feeds=feeds,
    )


def _failing(feed: str, attempts: Sequence[Failing], names: Names, now: dt.datetime) -> Cause:
    last = max(attempts, key=lambda one: one.last_at)
    since = min(one.since for one in attempts)
    why_zh, why_en = CAUSES.get(last.cause, (last.cause, last.cause))
    long_zh, long_en = lasting(since, now)
    feed_zh, feed_en = named(feed, names)
    step_zh = "取数" if last.step == "land" else "载入"
    tried = sum(one.failures for one in attempts)
    return Cause(
        kind="feed_failing",
        about=feed,
        gravity="warning",
        title_zh=f"{feed_zh}{step_zh}失败:{last.delivery},{why_zh}",
        title_en=f"{feed_en} fails to {last.step} {last.delivery}: {why_en}",
        detail_zh=f"自{clock(since)}起({long_zh}),已试{tried}次。{last.message_zh}",
        detail_en=f"Since {clock(since)} ({long_en}), tried {_times(tried)}. {last.message_en}",
        feeds=(feed,),
        occasions=tuple(sorted({one.cause for one in attempts})),
    )


def _address(attempt: Failing) -> str:
    if attempt.host and attempt.port:
        return f"{attempt.host}:{attempt.port}"
    return attempt.host or ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
