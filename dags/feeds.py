"""Airflow DAGs of the feeds: one for each contract below `expectations/`."""

from __future__ import annotations

from threegaps.orchestration.feeds import contracts_to_read, feed_dag_of
from threegaps.settings import Settings

for _contract in contracts_to_read(Settings.load().contracts_folder):
    globals()[f"feed_{_contract.table}"] = feed_dag_of(_contract)
