"""Time goes on for the stand-in departments of one machine: they deliver, and the feeds' runs come as on schedule.

A department of the sandbox delivers on the last day of the delivery; the days that a real one takes are left out. So a
feed's run is due on that day, and once more when what was late, spoilt or incomplete comes later. Feeds that deliver
each day catch up in one run at the end. All runs go through Airflow's scheduler, each with its delivery. The marts
follow once, at the end: a build after each day would take longer than the feeds.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from threegaps.airflow_api import ENDED_STATES, AirflowApi
from threegaps.calendar import Delivery
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.errors import ServiceError
from threegaps.home import account
from threegaps.home.sandbox_day import sandbox_day
from threegaps.one_machine import departments
from threegaps.one_machine.departments import Consigned
from threegaps.orchestration.first_run import (
    FeedProgress,
    Progress,
    current_release,
    has_pending,
    look_at_feeds,
    run_marts,
)
from threegaps.orchestration.names import MARTS_DAG, feed_dag
from threegaps.settings import Settings

_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """A day on which something comes or falls due, and the feeds that run then, each with its delivery."""

    day: dt.date
    runs: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Advanced:
    """What happened.

    Args:
        before, day: The sandbox's day before and after.
        deliveries: What the departments sent, and what was due and did not come.
        runs: The feeds' runs with their end.
        release_before, release: The releases that served.
    """

    before: dt.date
    day: dt.date
    deliveries: list[Consigned] = field(default_factory=list)
    runs: list[FeedProgress] = field(default_factory=list)
    release_before: int | None = None
    release: int | None = None


def steps(contracts: Iterable[Contract], before: dt.date, day: dt.date, coming: Iterable[Consigned]) -> list[Step]:
    """The days in (before, day] on which feeds run.

    Args:
        contracts: The feeds.
        before: The day on which the departments stand.
        day: The day to which they are moved.
        coming: What they send until then.
    """
    feeds = {contract.feed: contract for contract in contracts}
    wanted: dict[dt.date, set[str]] = {}
    for contract in feeds.values():
        if contract.cadence == "day":
            if day > before:
                wanted.setdefault(day, set()).add(contract.feed)
            continue
        delivery = Delivery.containing(contract.cadence, before + dt.timedelta(days=1))
        while delivery.end <= day:
            wanted.setdefault(delivery.end, set()).add(contract.feed)
            delivery = delivery.next()
    for consigned in coming:
        if consigned.came != "not" and consigned.feed in feeds:
            wanted.setdefault(consigned.day, set()).add(consigned.feed)
    return [
        Step(then, tuple((feed, _newest(feeds[feed], then)) for feed in sorted(wanted[then])))
        for then in sorted(wanted)
    ]


def _newest(contract: Contract, day: dt.date) -> str:
    """The last delivery that has ended by *day*."""
    return Delivery.containing(contract.cadence, day + dt.timedelta(days=1)).previous().key


def advance(settings: Settings, day: dt.date, report: Callable[[Progress], None]) -> Advanced:
    """Move the departments to *day*, step by step, run the feeds, and wait for what the marts make of it.

    A run that fails (a spoilt file) is noted, and the next one goes on from there.

    Raises:
        SettingsError: The departments cannot be moved to that day.
        ServiceError: Another advance is under way, Airflow does not answer, or the marts' run failed.
    """
    lock = account.try_lock(settings, "advance")
    if lock is None:
        raise ServiceError("Another advance is under way.", advice="wait for its end, then say a later day.")
    try:
        return _advance(settings, day, report)
    finally:
        os.close(lock)


def _advance(settings: Settings, day: dt.date, report: Callable[[Progress], None]) -> Advanced:
    api = AirflowApi.of(settings)
    before = sandbox_day(settings)
    coming = departments.upcoming(settings, day)
    done = Advanced(before, day, release_before=current_release(settings))
    api.set_paused(MARTS_DAG, is_paused=True)
    try:
        _deliver_and_load(settings, api, done, coming, report)
    finally:
        # However it ended: what was loaded must not wait for a release that nobody starts.
        api.set_paused(MARTS_DAG, is_paused=False)
    # A run that was under way before has claimed what was there then: what came since needs another one.
    for _ in range(2):
        if has_pending(settings):
            run_marts(settings, api, Progress(), report)
    done.release = current_release(settings)
    return done


def _deliver_and_load(
    settings: Settings,
    api: AirflowApi,
    done: Advanced,
    coming: Iterable[Consigned],
    report: Callable[[Progress], None],
) -> None:
    contracts = load_contracts(settings.contracts_folder)
    titles = {contract.feed: contract.title_zh for contract in contracts}
    for step in steps(contracts, done.before, done.day, coming):
        progress = Progress(message=f"{step.day}: the departments deliver 部门报送")
        report(progress)
        done.deliveries += departments.advance(settings, step.day)
        for feed, delivery in step.runs:
            run = api.trigger(feed_dag(feed), partition_key=delivery)
            progress.feeds.append(FeedProgress(feed, titles[feed], delivery, run_id=str(run["dag_run_id"])))
        while not look_at_feeds(settings, api, progress, report):
            if all(row.state in ENDED_STATES for row in progress.feeds):
                break
            time.sleep(_POLL_SECONDS)
        done.runs += progress.feeds
    if sandbox_day(settings) < done.day:
        done.deliveries += departments.advance(settings, done.day)
