"""Airflow DAGs of the feeds: one for each contract below `expectations/`."""

from __future__ import annotations

from threegaps.contracts.loader import load_contracts
from threegaps.orchestration.feeds import feed_dag_of
from threegaps.settings import Settings

for _contract in load_contracts(Settings.load().contracts_folder):
    globals()[f"feed_{_contract.table}"] = feed_dag_of(_contract)
