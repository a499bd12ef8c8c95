"""Backfills: which deliveries will run and which not, and why, before anything is asked of Airflow's scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from threegaps.airflow_api import AirflowApi
from threegaps.calendar import Delivery, deliveries_between
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, ServiceError, SettingsError
from threegaps.feed_run.unloaded import Looked, Unloaded, look_for_unloaded
from threegaps.ledger.attempts import OF_CONNECTIONS
from threegaps.orchestration.first_run import newest_delivery
from threegaps.orchestration.names import feed_dag
from threegaps.settings import Settings

_TAKEN_UP = frozenset({"not_loaded", "settling"})
"""Why a delivery runs that Airflow knows as succeeded: no backfill of Airflow's would run it."""
_RUN = _TAKEN_UP | {"never_run", "fetched_before", "failed_before", "again"}


@dataclass(frozen=True, slots=True)
class Planned:
    """What a backfill does with one delivery.

    Args:
        why: A code of `threegaps.labels.BACKFILL_REASONS`.
        unloaded: What lies there of it that has not been loaded; None where nothing does, or nobody looked.
        has_run: Airflow knows a run of it, ended or under way.
    """

    delivery: str
    why: str
    unloaded: Unloaded | None = None
    has_run: bool = True

    @property
    def runs(self) -> bool:
        """Whether it is run."""
        return self.why in _RUN


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill will do.

    Args:
        deliveries: Each delivery that was asked for, in order.
        is_again: What has succeeded runs, too.
        is_paused: The feed's DAG is paused: what is asked for waits until somebody lets it run.
        under_way: The backfill of the feed that has not ended; None where there is none.
        fault: Why nobody could look what the department has.
    """

    feed: str
    deliveries: tuple[Planned, ...]
    is_again: bool
    is_paused: bool
    under_way: int | None = None
    fault: FeedError | None = field(default=None)

    @property
    def is_shut_out(self) -> bool:
        """Whether the department's system cannot be reached or refuses us: every run would fail."""
        return self.fault is not None and self.fault.cause in OF_CONNECTIONS

    def running(self) -> list[Planned]:
        """The deliveries that run."""
        return [one for one in self.deliveries if one.runs]


@dataclass(frozen=True, slots=True)
class Started:
    """What was asked of Airflow.

    Args:
        backfill_id: The backfill, of what never ran or failed; None where there was no such delivery, or where it would
            run more than that.
        run_ids: The runs of what no backfill runs.
    """

    backfill_id: int | None
    run_ids: tuple[str, ...]


def wanted_deliveries(contract: Contract, first: str, last: str) -> list[Delivery]:
    """The deliveries from *first* to *last*: before Airflow is asked, so that a wrong key is said while it is down.

    Raises:
        SettingsError: No delivery of the feed lies between the two, or the first is before the feed's first one.
    """
    wanted = list(deliveries_between(contract.cadence, first, last))
    if not wanted:
        raise SettingsError(f"No delivery lies between {first} and {last}.", advice="give the earlier one first.")
    if wanted[0] < Delivery.parse(contract.cadence, contract.first_delivery):
        raise SettingsError(
            f"{first} is before the first delivery of {contract.feed}, {contract.first_delivery}.",
            advice=f"begin with {contract.first_delivery}; for earlier ones change firstDelivery in the contract.",
        )
    return wanted


def plan(settings: Settings, api: AirflowApi, contract: Contract, wanted: Sequence[Delivery], *, again: bool) -> Plan:
    """What a backfill of *wanted* will do, by Airflow's own dry run.

    Args:
        wanted: See `wanted_deliveries`.
        again: What has succeeded is to run, too.

    Raises:
        ServiceError: Airflow does not answer, or does not know the feed's DAG.
        LedgerError: The warehouse does not answer.
    """
    newest = Delivery.parse(contract.cadence, newest_delivery(contract, settings))
    over = [delivery for delivery in wanted if delivery <= newest]
    dag_id = feed_dag(contract.feed)
    known = api.dags().get(dag_id)
    if known is None:
        raise ServiceError(f"Airflow does not know the DAG {dag_id}.", advice="see `threegaps status`.")
    reasons = _reasons(api, dag_id, over, again=again) if over else {}
    asked = [key for key, why in reasons.items() if why != "under_way"]
    looked = look_for_unloaded(contract.feed, asked) if asked else Looked({})
    planned = [
        _planned(delivery.key, reasons.get(delivery.key, "not_over"), looked, again=again) for delivery in wanted
    ]
    return Plan(
        feed=contract.feed,
        deliveries=tuple(planned),
        is_again=again,
        is_paused=bool(known["is_paused"]),
        under_way=api.backfill_under_way(dag_id),
        fault=looked.fault,
    )


def _planned(key: str, why: str, looked: Looked, *, again: bool) -> Planned:
    """What is done with a delivery, by what Airflow knows of it and by what the ledger does: one run loads many."""
    has_run, unloaded = why not in {"never_run", "not_over"}, looked.deliveries.get(key)
    if why == "never_run":
        if key in looked.loaded:
            why = "again" if again else "loaded"
        elif key in looked.fetched:
            why = "fetched_before"
    if why in {"succeeded", "loaded"}:
        if unloaded is not None:
            why = "not_loaded" if unloaded.count else "settling"
        elif looked.fault is not None:
            why = "not_looked"
    return Planned(key, why, unloaded, has_run)


def _reasons(api: AirflowApi, dag_id: str, deliveries: Sequence[Delivery], *, again: bool) -> dict[str, str]:
    """Why each delivery runs or does not, by what Airflow would run of them."""
    first, last = deliveries[0].start.isoformat(), deliveries[-1].start.isoformat()

    def would_run(behavior: str) -> set[str]:
        return api.backfill_dry_run(dag_id, first_day=first, last_day=last, behavior=behavior)

    never, failed, ended = would_run("none"), would_run("failed"), would_run("completed")
    reasons = {}
    for delivery in deliveries:
        key = delivery.key
        if key in never:
            reasons[key] = "never_run"
        elif key in failed:
            reasons[key] = "failed_before"
        elif key in ended:
            reasons[key] = "again" if again else "succeeded"
        else:
            reasons[key] = "under_way"
    return reasons


def start(api: AirflowApi, contract: Contract, asked: Plan) -> Started:
    """Ask Airflow's scheduler for what the plan says: one delivery runs after the other, and a failed one stops none.

    Raises:
        ServiceError: Airflow does not answer, or another backfill of the feed has not ended.
    """
    if asked.under_way is not None and asked.running():
        raise ServiceError(
            f"Backfill {asked.under_way} of {contract.feed} has not ended: Airflow runs one at a time.",
            advice="wait for its end, or cancel it on the DAG's page; what it leaves is run by this command again.",
        )
    dag_id = feed_dag(contract.feed)
    running = asked.running()
    # Airflow runs every delivery of the window that it knows no run of.
    scheduled = [one for one in running if one.why not in _TAKEN_UP or not one.has_run]
    if scheduled:
        keys = [one.delivery for one in asked.deliveries]
        between = asked.deliveries[keys.index(scheduled[0].delivery) : keys.index(scheduled[-1].delivery)]
        if any(not one.runs and not one.has_run for one in between):
            scheduled = []
    backfill_id = None
    if scheduled:
        days = [Delivery.parse(contract.cadence, one.delivery).start.isoformat() for one in scheduled]
        started = api.backfill(dag_id, first_day=days[0], last_day=days[-1], again=asked.is_again)
        backfill_id = int(started["id"])
    left = [one.delivery for one in running if one not in scheduled]
    runs = [str(api.trigger(dag_id, partition_key=key)["dag_run_id"]) for key in left]
    return Started(backfill_id, tuple(runs))
