"""The DAG of the marts: arrivals wake it, the ledger decides what it builds."""

from __future__ import annotations

import datetime as dt
import operator
from functools import reduce
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, FixedKeyMapper, Param, PartitionedAssetTimetable, task

from threegaps.contracts.model import Contract
from threegaps.orchestration import tasks
from threegaps.orchestration.feeds import asset_of
from threegaps.orchestration.names import BUILD_KEY, MARTS_DAG, RELEASED_DAG
from threegaps.orchestration.pages import DUTY_DESK, DUTY_TEAM, MARTS, owner_links, task_words


def marts_dag_of(contracts: tuple[Contract, ...]) -> DAG:
    """Claim, build, release; woken by an event of any feed, one run at a time."""
    with DAG(
        MARTS_DAG,
        dag_display_name=MARTS.title,
        description="Build the marts from what has arrived, and release them",
        doc_md=MARTS.text,
        # Any feed alone wakes it, and all events of one moment wake it once: the key is always the same.
        schedule=PartitionedAssetTimetable(
            assets=reduce(operator.or_, (asset_of(contract) for contract in contracts)),
            default_partition_mapper=FixedKeyMapper(BUILD_KEY),
        ),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=dt.timedelta(hours=12),
        tags=["marts"],
        params={
            "kind": Param("affected", enum=["affected", "full"], description="What to rebuild"),
            "as_of": Param(None, type=["null", "string"], format="date", description="The day to build from"),
            "accept_fewer_rows": Param(
                False, type="boolean", description="Someone has looked: a table may lose many rows in this release"
            ),
        },
        default_args={"owner": DUTY_TEAM, **tasks.SAY_CAUSE, "retry_delay": dt.timedelta(seconds=15)},
        owner_links=owner_links({DUTY_DESK: DUTY_TEAM}),
    ) as dag:

        @task.short_circuit(
            task_id="claim", **task_words("claim"), retries=3, execution_timeout=dt.timedelta(minutes=30)
        )
        def claim(params: dict[str, Any] | None = None, run_id: str | None = None) -> int | None:
            chosen = params or {}
            return tasks.claim(str(chosen.get("kind", "affected")), chosen.get("as_of"), run_id or "")

        # What a failed build had claimed is pending again: the next run, not a retry, takes it up.
        @task(task_id="build", **task_words("build"), retries=0, execution_timeout=dt.timedelta(hours=6))
        def build(build_id: int) -> int:
            tasks.build(build_id)
            return build_id

        @task(task_id="release", **task_words("release"), retries=2, execution_timeout=dt.timedelta(hours=1))
        def release(build_id: int, params: dict[str, Any] | None = None) -> None:
            tasks.release(build_id, accept_fewer_rows=bool((params or {}).get("accept_fewer_rows")))

        # Runs of this DAG carry the key that wakes it, and so would its events.
        wake_released = TriggerDagRunOperator(
            task_id="wake_released",
            **task_words("wake_released"),
            trigger_dag_id=RELEASED_DAG,
            logical_date=None,
            retries=3,
            execution_timeout=dt.timedelta(minutes=10),
        )
        release(build(claim())) >> wake_released
    return dag
