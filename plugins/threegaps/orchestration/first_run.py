"""From services that run to the first release: every feed catches up in one run, then the marts are built and released.

All of it goes through Airflow's scheduler, by its REST API. What has been done before is not done again: a run of the
same delivery that succeeded or is under way is taken as it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from threegaps.airflow_api import ENDED_STATES, STATES_THAT_MATTER, AirflowApi, UnansweredError
from threegaps.calendar import Delivery, today
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.errors import ServiceError, is_warehouse_down, of_warehouse
from threegaps.home import account
from threegaps.home.sandbox_day import sandbox_day
from threegaps.ledger.attempts import failing_since
from threegaps.ledger.batches import SUMS_OF_BATCHES, pending_batches
from threegaps.orchestration.names import (
    MARTS_DAG,
    OF_NO_FEED,
    POOL_SLOTS,
    feed_dag,
    pools,
)
from threegaps.settings import Settings

# A look at the runs costs Airflow and whoever looks some hundredths of a second of a core each.
_POLL_SECONDS = 2.0
_CONNECT_SECONDS = 10
_PATIENCE_SECONDS = 600.0
"""For how long Airflow or the warehouse may keep silent while the services run: a busy disk does that for minutes."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class FeedProgress:
    """How far one feed is."""

    feed: str
    title_zh: str
    delivery: str
    run_id: str = ""
    state: str = "waiting"
    task: str = ""
    batches: int = 0
    received: int = 0
    accepted: int = 0
    refused: int = 0


@dataclass(slots=True)
class Progress:
    """How far the first run is."""

    feeds: list[FeedProgress] = field(default_factory=list)
    marts_state: str = "waiting"
    marts_task: str = ""
    message: str = ""


def newest_delivery(contract: Contract, settings: Settings) -> str:
    """The newest delivery that the feed's department can have: the last one that has ended.

    The sandbox's departments deliver on a delivery's last day, so there the day itself counts.
    """
    after = sandbox_day(settings) + dt.timedelta(days=1) if settings.is_sandbox else today()
    return Delivery.containing(contract.cadence, after).previous().key


def configure(settings: Settings, api: AirflowApi, *, seconds: float = 120) -> tuple[Contract, ...]:
    """Wait until Airflow has read the DAGs, and make the pools that they use; the contracts."""
    contracts = load_contracts(settings.contracts_folder)
    wanted = {feed_dag(contract.feed) for contract in contracts} | set(OF_NO_FEED)
    api.wait_until_known(wanted, seconds=seconds)
    make_pools(api, contracts)
    return contracts


def make_pools(api: AirflowApi, contracts: tuple[Contract, ...]) -> None:
    """Make the pools that the DAGs use: a task whose pool is not there waits for ever, and nothing fails."""
    for name, description in pools(contracts).items():
        api.ensure_pool(name, slots=POOL_SLOTS, description=description)


def run_to_release(settings: Settings, report: Callable[[Progress], None]) -> int:
    """Run all feeds and the marts; the number of the release that serves at the end.

    Raises:
        ServiceError: A feed's run or the marts' run failed; the message names the task and where its log lies.
    """
    api = AirflowApi.of(settings)
    progress = Progress(message="reading the DAGs 读取 DAG")
    report(progress)
    contracts = _patiently(settings, progress, report, lambda: configure(settings, api))
    try:
        _run_feeds(settings, api, contracts, progress, report)
    except BaseException:
        # However it ended: what was loaded must not wait for a release that nobody starts, nor upkeep for one.
        with contextlib.suppress(ServiceError):
            _let_run(api, OF_NO_FEED)
        raise
    _patiently(settings, progress, report, lambda: _let_run(api, OF_NO_FEED))
    if _patiently(settings, progress, report, lambda: has_pending(settings) or current_release(settings) is None):
        run_marts(settings, api, progress, report)
    release = _patiently(settings, progress, report, lambda: current_release(settings))
    if release is None:
        raise ServiceError("The marts ran, but there is no release.", advice="see `threegaps status`.")
    progress.marts_state, progress.message = "success", f"release {release}"
    report(progress)
    return release


def _let_run(api: AirflowApi, dag_ids: Iterable[str]) -> None:
    for dag_id in dag_ids:
        api.set_paused(dag_id, is_paused=False)


def _patiently(
    settings: Settings, progress: Progress, report: Callable[[Progress], None], ask: Callable[[], _Answer]
) -> _Answer:
    """What *ask* gives, asked again while Airflow or the warehouse keeps silent, for some minutes and said meanwhile.

    Args:
        ask: What may be done twice.

    Raises:
        ServiceError: They kept silent for too long, or the services do not run any more.
    """
    said = progress.message
    silent_since: float | None = None
    while True:
        try:
            answer = ask()
        except (UnansweredError, psycopg.Error) as error:
            if isinstance(error, psycopg.Error) and not is_warehouse_down(error):
                raise
            reason = of_warehouse(error) if isinstance(error, psycopg.Error) else error.message
        else:
            progress.message = said
            return answer
        now = time.monotonic()
        silent_since = now if silent_since is None else silent_since
        is_running = settings.is_server or account.is_running(settings)
        if not is_running or now - silent_since >= _PATIENCE_SECONDS:
            raise ServiceError(
                f"Airflow or the warehouse does not answer, and was waited for {(now - silent_since) / 60:.0f} min:"
                f" {reason}",
                advice="see `threegaps status`; then run the same command again: it goes on from what is done.",
            )
        progress.message = "no answer from Airflow or the warehouse, waiting 服务暂无应答,等待中"
        report(progress)
        time.sleep(_POLL_SECONDS)


def is_complete(settings: Settings) -> bool:
    """Whether every feed has run to its newest delivery and all of it stands in a release."""
    if current_release(settings) is None or has_pending(settings):
        return False
    api = AirflowApi.of(settings)
    known = api.dags()
    for contract in load_contracts(settings.contracts_folder):
        dag_id = feed_dag(contract.feed)
        delivery = newest_delivery(contract, settings)
        if dag_id not in known or _existing_run(api, dag_id, delivery, states={"success"}) is None:
            return False
    return True


def _run_feeds(
    settings: Settings,
    api: AirflowApi,
    contracts: tuple[Contract, ...],
    progress: Progress,
    report: Callable[[Progress], None],
) -> None:
    # The marts wait until all feeds are there: the first events would only build what the next ones change.
    _patiently(settings, progress, report, lambda: api.set_paused(MARTS_DAG, is_paused=True))
    for contract in contracts:
        delivery = newest_delivery(contract, settings)
        row = FeedProgress(contract.feed, contract.title_zh, delivery)
        row.run_id = _patiently(settings, progress, report, partial(_start_feed, api, feed_dag(row.feed), delivery))
        progress.feeds.append(row)
    progress.message = "feeds catch up 各数据源补齐"
    while not _patiently(settings, progress, report, lambda: look_at_feeds(settings, api, progress, report)):
        failed = [row for row in progress.feeds if row.state == "failed"]
        if failed:
            reason = _reason_of_feed(settings, failed[0].feed)
            _fail(settings, feed_dag(failed[0].feed), failed[0].run_id, failed[0].task, reason=reason)
        time.sleep(_POLL_SECONDS)


def _start_feed(api: AirflowApi, dag_id: str, delivery: str) -> str:
    """The run of a delivery: one that succeeded or is under way, else a new one."""
    api.set_paused(dag_id, is_paused=False)
    run_id = _existing_run(api, dag_id, delivery, states={"success", "running", "queued"})
    return run_id or str(api.trigger(dag_id, partition_key=delivery)["dag_run_id"])


def look_at_feeds(settings: Settings, api: AirflowApi, progress: Progress, report: Callable[[Progress], None]) -> bool:
    """See how far the runs of the feeds are, and report it; whether all of them have succeeded."""
    _count(settings, progress.feeds)
    rows = [row for row in progress.feeds if row.state not in ENDED_STATES]
    under_way = api.under_way({feed_dag(row.feed) for row in rows}) if rows else {}
    for row in rows:
        dag_id = feed_dag(row.feed)
        tasks = under_way.get((dag_id, row.run_id))
        if tasks is None:
            row.state = str(api.run(dag_id, row.run_id)["state"])
            tasks = api.task_states(dag_id, row.run_id)
        elif tasks:
            row.state = "running"
        row.task = _current_task(tasks)
    report(progress)
    return all(row.state == "success" for row in progress.feeds)


def run_marts(settings: Settings, api: AirflowApi, progress: Progress, report: Callable[[Progress], None]) -> None:
    """Have one run of the marts, the one under way or a new one, and follow it to its end.

    Raises:
        ServiceError: It failed; the message names the task and where its log lies.
    """
    progress.message = "building and releasing the marts 计算并发布指标"

    def start() -> str:
        running = [run for run in api.runs(MARTS_DAG) if run["state"] not in ENDED_STATES]
        return str((running[0] if running else api.trigger(MARTS_DAG))["dag_run_id"])

    def look() -> tuple[str, str]:
        return str(api.run(MARTS_DAG, run_id)["state"]), _current_task(api.task_states(MARTS_DAG, run_id))

    run_id = _patiently(settings, progress, report, start)
    while progress.marts_state not in ENDED_STATES:
        progress.marts_state, progress.marts_task = _patiently(settings, progress, report, look)
        report(progress)
        time.sleep(_POLL_SECONDS)
    if progress.marts_state == "failed":
        _fail(settings, MARTS_DAG, run_id, progress.marts_task, reason=_reason_of_last_build(settings))


def _existing_run(api: AirflowApi, dag_id: str, delivery: str, *, states: set[str]) -> str | None:
    for run in api.runs(dag_id):
        if run.get("partition_key") == delivery and run["state"] in states:
            return str(run["dag_run_id"])
    return None


def _current_task(states: dict[str, str]) -> str:
    """The task that matters now: one that failed, runs or waits to try again, else none."""
    for wanted in STATES_THAT_MATTER:
        for task_id, state in states.items():
            if state == wanted:
                return f"{task_id}: try again" if state == "up_for_retry" else task_id
    return ""


def _fail(settings: Settings, dag_id: str, run_id: str, task: str, *, reason: str = "") -> None:
    log = settings.home / "airflow" / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
    raise ServiceError(
        f"Task {task or '?'} of {dag_id} failed{f': {reason}' if reason else '.'}",
        advice=f"read its log below {log}; then run this again.",
    )


def _warehouse(settings: Settings) -> psycopg.Connection[Any]:
    return psycopg.connect(settings.warehouse_dsn(), autocommit=True, connect_timeout=_CONNECT_SECONDS)


def _reason_of_feed(settings: Settings, feed: str) -> str:
    with _warehouse(settings) as connection:
        failing = failing_since(connection, feed)
    return failing[-1].message_en if failing else ""


def _reason_of_last_build(settings: Settings) -> str:
    with _warehouse(settings) as connection:
        row = connection.execute("select message from ops.build order by build_id desc limit 1").fetchone()
    return str(row[0]) if row and row[0] else ""


def _count(settings: Settings, rows: list[FeedProgress]) -> None:
    with _warehouse(settings) as connection:
        totals = connection.cursor(row_factory=dict_row).execute(SUMS_OF_BATCHES).fetchall()
    by_feed = {total["feed"]: total for total in totals}
    for row in rows:
        if counted := by_feed.get(row.feed):
            row.batches, row.received = counted["batches"], counted["received"]
            row.accepted, row.refused = counted["accepted"], counted["refused"]


def has_pending(settings: Settings) -> bool:
    """Whether loaded batches wait for a build."""
    with _warehouse(settings) as connection:
        return bool(pending_batches(connection))


def current_release(settings: Settings) -> int | None:
    """The release that serves; None before the first."""
    with _warehouse(settings) as connection:
        row = connection.execute("select release_id from ops.current_release").fetchone()
    return None if row is None or row[0] is None else int(row[0])
