"""Airflow DAGs that build and release the marts when a feed has brought something, and that tell of a release."""

from __future__ import annotations

from threegaps.contracts.loader import load_contracts
from threegaps.orchestration.marts import marts_dag_of
from threegaps.orchestration.released import released_dag
from threegaps.settings import Settings

marts = marts_dag_of(load_contracts(Settings.load().contracts_folder))
released = released_dag()
