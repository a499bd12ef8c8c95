"""Airflow DAGs for what must happen even when no event comes."""

from __future__ import annotations

from threegaps.orchestration.upkeep import retention_dag, upkeep_dag

upkeep = upkeep_dag()
retention = retention_dag()
