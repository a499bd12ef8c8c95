"""The DAG that tells other systems of a release.

A run of the marts carries the key that wakes it, and so would an event of its own. A keyed event wakes only DAGs that
are scheduled by partition; this DAG has no key, and its event wakes those that are scheduled on the asset.

No event is sent where no indicator has changed: who takes an event for news would do its work for nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.sdk import DAG, Asset, task

from threegaps.orchestration import tasks
from threegaps.orchestration.names import RELEASED_ASSET, RELEASED_ASSET_URI, RELEASED_DAG
from threegaps.orchestration.pages import DUTY_DESK, DUTY_TEAM, RELEASED, owner_links, task_words

RELEASED_EVENTS = Asset(name=RELEASED_ASSET, uri=RELEASED_ASSET_URI, group="marts")


def released_dag() -> DAG:
    """Tell of what has changed since the last event; triggered by a release, and by hand whenever somebody wants."""
    with DAG(
        RELEASED_DAG,
        dag_display_name=RELEASED.title,
        description="Tell those who wait for releases which indicators have changed",
        doc_md=RELEASED.text,
        owner_links=owner_links({DUTY_DESK: DUTY_TEAM}),
        schedule=None,
        catchup=False,
        # Two at once would tell the same twice.
        max_active_runs=1,
        dagrun_timeout=dt.timedelta(hours=1),
        tags=["marts"],
        default_args={
            "owner": DUTY_TEAM,
            **tasks.SAY_CAUSE,
            "retries": 3,
            "retry_delay": dt.timedelta(seconds=30),
            "execution_timeout": dt.timedelta(minutes=10),
        },
    ) as dag:

        @task(task_id="tell", **task_words("tell"), inlets=[RELEASED_EVENTS], outlets=[RELEASED_EVENTS])
        def tell(inlet_events: dict[Asset, Any], outlet_events: dict[Asset, Any]) -> None:
            before = [event.extra for event in inlet_events[RELEASED_EVENTS].ascending(False).limit(1)]
            news = tasks.released_since(before[0].get("release_id") if before else None)
            outlet_events[RELEASED_EVENTS].extra.update(news)

        tell()
    return dag
