"""Pools are made in Airflow's database; what cannot reach it says so at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from threegaps.errors import ServiceError
from threegaps.orchestration.pools import import_pools
from threegaps.settings import Settings


@pytest.mark.parametrize("driver", ["postgresql+psycopg2", "postgresql+psycopg", "postgresql"])
def test_a_database_that_is_not_there_is_named_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"{driver}://airflow:of-tests@127.0.0.1:1/airflow")
    began = time.monotonic()
    with pytest.raises(ServiceError, match=r"Airflow's database at 127\.0\.0\.1:1: connection refused") as refused:
        import_pools(Settings.load())
    assert time.monotonic() - began < 20
    assert "of-tests" not in str(refused.value)
    assert "airflow db migrate" in (refused.value.advice or "")
