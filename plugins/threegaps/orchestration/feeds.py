"""The factory of feed DAGs: one DAG for each contract, all of one shape."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, get_parsing_context, task

from threegaps.calendar import Delivery
from threegaps.contracts.loader import feeds_below, find_contract, load_contracts
from threegaps.contracts.model import Contract
from threegaps.orchestration import lineage, tasks
from threegaps.orchestration.names import feed_asset, feed_asset_uri, feed_dag
from threegaps.orchestration.pages import feed_page, feed_team, owner_links, task_words
from threegaps.orchestration.timetable import DeliveryTimetable
from threegaps.settings import Settings

_TASK_OPTIONS = {
    **tasks.SAY_CAUSE,
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": dt.timedelta(minutes=30),
}


def contracts_to_read(folder: Path) -> tuple[Contract, ...]:
    """The contracts below *folder* that a reader of the DAG file needs: all, or for a task that of its own feed.

    Airflow reads the whole file before each task: all contracts, and their DAGs, would cost it more than half a second.

    Raises:
        ContractError: See `load_contracts`.
    """
    dag_id = get_parsing_context().dag_id
    if dag_id is None:
        return load_contracts(folder)
    return tuple(find_contract(folder, feed) for feed in feeds_below(folder) if feed_dag(feed) == dag_id)


def asset_of(contract: Contract) -> Asset:
    """The asset whose events say that a delivery of the feed has been loaded."""
    return Asset(name=feed_asset(contract.feed), uri=feed_asset_uri(contract.feed), group="feeds")


def last_delivery(contract: Contract) -> str | None:
    """Where deliveries end by themselves: in the sandbox, whose departments know nothing after a certain day."""
    last_day = Settings.load().sandbox_last_day
    if last_day is None:
        return None
    after = last_day + dt.timedelta(days=1)
    return Delivery.containing(contract.cadence, after).previous().key


def feed_dag_of(contract: Contract) -> DAG:
    """Land, then load: the DAG of one feed; its runs carry a delivery as their partition key.

    One that carries none is of the newest delivery that was due when it was asked for; so is each retry of it, and each
    run after it was cleared.
    """
    cadence, team = contract.cadence, feed_team(contract)
    timetable = DeliveryTimetable(cadence, contract.due_cron, last_delivery=last_delivery(contract))
    with DAG(
        feed_dag(contract.feed),
        dag_display_name=f"{contract.title_zh} {contract.feed}",
        description=contract.title_en,
        doc_md=feed_page(contract),
        schedule=timetable,
        catchup=False,
        # Loads of a feed wait for each other on a lock; a second run would only hold a slot.
        max_active_runs=1,
        dagrun_timeout=dt.timedelta(hours=12),
        tags=["feed", contract.department, contract.cadence],
        default_args={"owner": team, **_TASK_OPTIONS},
        owner_links=owner_links({contract.department: team}),
    ) as dag:

        @task(
            task_id="land",
            **task_words("land"),
            pool=contract.pool,
            retries=5,
            retry_delay=dt.timedelta(seconds=20),
            execution_timeout=dt.timedelta(hours=3),
        )
        def land(partition_key: str | None = None, dag_run: Any = None, ti: Any = None) -> None:
            delivery = partition_key or timetable.newest_due(dag_run.run_after).key
            tasks.land(contract.feed, cadence, delivery, run_id=dag_run.run_id, try_number=ti.try_number)
            lineage.note_landing(contract)

        @task(
            task_id="load",
            **task_words("load"),
            outlets=[asset_of(contract)],
            retries=3,
            retry_delay=dt.timedelta(seconds=20),
            execution_timeout=dt.timedelta(hours=6),
        )
        def load(
            partition_key: str | None = None,
            dag_run: Any = None,
            ti: Any = None,
            outlet_events: dict[Asset, Any] | None = None,
        ) -> None:
            delivery = partition_key or timetable.newest_due(dag_run.run_after).key
            counts = tasks.load(contract.feed, cadence, delivery, run_id=dag_run.run_id, try_number=ti.try_number)
            lineage.note_load(contract, counts)
            if outlet_events is not None:
                event = outlet_events[asset_of(contract)]
                event.extra.update(counts)
                # The event of a run without a key has none by itself, and would wake nothing.
                event.add_partitions(delivery)

        land() >> load()
    return dag
