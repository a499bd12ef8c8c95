"""Upkeep: what must happen even when no event comes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, task

from threegaps.orchestration import tasks
from threegaps.orchestration.names import MARTS_DAG, RETENTION_DAG, UPKEEP_DAG
from threegaps.orchestration.pages import DUTY_DESK, DUTY_TEAM, RETENTION, UPKEEP, owner_links, task_words

UNCLAIMED_MINUTES = 5
FAILED_AGAIN_MINUTES = 15
"""How long a feed is left alone whose department had let us in, and whose run failed nevertheless."""
STALE_BUILD_MINUTES = 6 * 60
_ZONE = "Asia/Shanghai"


def upkeep_dag() -> DAG:
    """Every few minutes: end what should have ended by itself, and wake the marts when work stays unclaimed.

    What readers have changed of their logins is put back; feeds that are late, or whose department lets us in again,
    are run.
    """
    with DAG(
        UPKEEP_DAG,
        dag_display_name=UPKEEP.title,
        doc_md=UPKEEP.text,
        owner_links=owner_links({DUTY_DESK: DUTY_TEAM}),
        description="Wake the marts for work that stayed unclaimed; end dead builds and readers' overlong transactions;"
        " put back what readers change of their logins",
        schedule=CronTriggerTimetable("*/5 * * * *", timezone=_ZONE),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=dt.timedelta(minutes=30),
        tags=["upkeep"],
        default_args={
            "owner": DUTY_TEAM,
            **tasks.SAY_CAUSE,
            "retries": 1,
            "retry_delay": dt.timedelta(seconds=30),
            "execution_timeout": dt.timedelta(minutes=10),
        },
    ) as dag:
        # None of these waits for another: what fails in one loses nothing of the others.
        @task(task_id="put_in_order", **task_words("put_in_order"))
        def put_in_order() -> None:
            tasks.put_in_order(STALE_BUILD_MINUTES)

        put_in_order()

        @task.short_circuit(task_id="find_waiting_work", **task_words("find_waiting_work"))
        def find_waiting_work() -> bool:
            return tasks.work_waits(UNCLAIMED_MINUTES)

        wake = TriggerDagRunOperator(
            task_id="wake_marts", **task_words("wake_marts"), trigger_dag_id=MARTS_DAG, logical_date=None
        )
        find_waiting_work() >> wake

        @task(task_id="find_feeds_that_answer", **task_words("find_feeds_that_answer"))
        def find_feeds_that_answer(ti: Any = None) -> list[dict[str, str]]:
            found = tasks.feeds_that_answer_again(FAILED_AGAIN_MINUTES)
            return tasks.without_busy(tasks.without_paused(found, ti), ti)

        @task(task_id="find_late_feeds", **task_words("find_late_feeds"))
        def find_late_feeds(ti: Any = None) -> list[dict[str, str]]:
            return tasks.without_paused(tasks.late_feeds(), ti)

        # Runs without a key: of the newest delivery that is due, with all that is missing before it.
        for task_id, found in (
            ("wake_feeds_that_answer", find_feeds_that_answer()),
            ("wake_late_feeds", find_late_feeds()),
        ):
            TriggerDagRunOperator.partial(
                task_id=task_id, **task_words(task_id), logical_date=None, skip_when_already_exists=True
            ).expand_kwargs(found)
    return dag


def retention_dag() -> DAG:
    """Once a night: end the landed copies that are older than their contract has them kept."""
    with DAG(
        RETENTION_DAG,
        dag_display_name=RETENTION.title,
        doc_md=RETENTION.text,
        owner_links=owner_links({DUTY_DESK: DUTY_TEAM}),
        description="End the landed copies that are older than their contract has them kept",
        schedule=CronTriggerTimetable("30 3 * * *", timezone=_ZONE),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=dt.timedelta(hours=6),
        tags=["upkeep"],
        default_args={
            "owner": DUTY_TEAM,
            **tasks.SAY_CAUSE,
            "retries": 2,
            "retry_delay": dt.timedelta(minutes=5),
            "execution_timeout": dt.timedelta(hours=3),
        },
    ) as dag:

        @task(task_id="end_old_copies", **task_words("end_old_copies"))
        def end_old_copies() -> None:
            tasks.end_old_copies()

        end_old_copies()
    return dag
