"""Names in Airflow: DAGs, assets and pools, all in ASCII."""

from __future__ import annotations

from threegaps.airflow_api import feed_dag as feed_dag
from threegaps.contracts.model import Contract

MARTS_DAG = "marts"
UPKEEP_DAG = "upkeep"
RETENTION_DAG = "retention"
RELEASED_DAG = "released"
OF_NO_FEED = (RELEASED_DAG, MARTS_DAG, UPKEEP_DAG, RETENTION_DAG)
"""DAGs that belong to no feed; a first run lets them run after all feeds."""

RELEASED_ASSET = "marts_released"
"""Asset of a release: what other systems' DAGs are scheduled on."""

RELEASED_ASSET_URI = "threegaps://marts/released"
BUILD_KEY = "build"
"""The one partition key of the marts DAG: whatever arrives, it is the same build that is woken."""

POOL_SLOTS = 3
"""Fetches from one department at the same time."""


def feed_asset(feed: str) -> str:
    """Asset of a feed: what its load says is new."""
    return f"raw_{feed.replace('/', '_')}"


def feed_asset_uri(feed: str) -> str:
    """Address of the asset: a name, not a place."""
    return f"threegaps://feeds/{feed}"


def pools(contracts: tuple[Contract, ...]) -> dict[str, str]:
    """Every pool that the DAGs use, with what it is for."""
    return {contract.pool: f"Fetches from {contract.department}" for contract in contracts}
