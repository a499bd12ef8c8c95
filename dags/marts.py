"""Airflow DAG that builds and releases the marts when a feed has brought something."""

from __future__ import annotations

from threegaps.contracts.loader import load_contracts
from threegaps.orchestration.marts import marts_dag_of
from threegaps.settings import Settings

marts = marts_dag_of(load_contracts(Settings.load().contracts_folder))
