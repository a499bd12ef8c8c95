"""Builds that fail, releases that a check holds, and loaded work that nobody takes up."""

from __future__ import annotations

import datetime as dt

from threegaps.ledger.incidents import Cause
from threegaps.standards.moments import clock
from threegaps.translations import in_both
from threegaps.watch.looks.wording import lasting, listed
from threegaps.watch.readings import FailedBuild, WaitingWork

CRITICAL_AFTER = dt.timedelta(days=1)
"""Figures that stay old for so long are a grave matter; before, nothing is lost and the last release serves."""
WAITING_AFTER = dt.timedelta(minutes=30)
"""Upkeep wakes the marts every few minutes: what waits for so long waits for somebody."""
_LONGEST = 600


def failed(build: FailedBuild | None, now: dt.datetime) -> list[Cause]:
    """The build that failed, or the release that its checks have held."""
    if build is None:
        return []
    is_held = build.is_held
    said_zh, said_en = map(_cut, in_both(build.message))
    long_zh, long_en = lasting(build.failing_since, now)
    times_zh = f",连续{build.builds}次" if build.builds > 1 else ""
    times_en = f", {build.builds} builds in a row" if build.builds > 1 else ""
    return [
        Cause(
            kind="release_held" if is_held else "build_failed",
            about="",
            gravity="critical" if now - build.failing_since >= CRITICAL_AFTER else "warning",
            title_zh=f"构建{build.build_id}未通过发布前的检查" if is_held else f"构建{build.build_id}失败",
            title_en=f"the release of build {build.build_id} is held by a check"
            if is_held
            else f"build {build.build_id} failed",
            detail_zh=f"自{clock(build.failing_since)}起({long_zh}{times_zh});此前的发布继续有效。{said_zh}",
            detail_en=f"Since {clock(build.failing_since)} ({long_en}{times_en});"
            f" the last release goes on serving. {said_en}",
        )
    ]


def waiting(work: WaitingWork | None, now: dt.datetime) -> list[Cause]:
    """Loaded batches that have waited for a build for longer than upkeep lets them."""
    if work is None or now - work.since < WAITING_AFTER:
        return []
    feeds_zh, feeds_en = listed(work.feeds)
    long_zh, long_en = lasting(work.since, now)
    return [
        Cause(
            kind="work_waiting",
            about="",
            gravity="critical" if now - work.since >= CRITICAL_AFTER else "warning",
            title_zh=f"{work.batches:,}个批次已载入而待构建",
            title_en=f"{work.batches:,} loaded {'batch waits' if work.batches == 1 else 'batches wait'} for a build",
            detail_zh=f"自{clock(work.since)}起({long_zh});涉及{feeds_zh}。",
            detail_en=f"Since {clock(work.since)} ({long_en}); of {feeds_en}.",
            feeds=work.feeds,
        )
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
