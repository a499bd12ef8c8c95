"""The databases that one machine makes for itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from threegaps.one_machine.ports import choose_ports
from threegaps.one_machine.supervisor import Supervisor
from threegaps.one_machine.temporary import temporary_home
from threegaps.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as folder:
        yield folder


@pytest.mark.parametrize("sandbox", ["0", "1"])
def test_departments_have_databases_here_only_in_the_sandbox(home: Path, sandbox: str) -> None:
    settings = Settings.load({**os.environ, "THREEGAPS_HOME": str(home), "THREEGAPS_SANDBOX": sandbox})
    choose_ports(settings)
    one = Supervisor(settings)
    try:
        one._start_postgres()
        one._make_databases()
        assert one.server is not None
        with psycopg.connect(one.server.dsn()) as connection:
            found = {row[0] for row in connection.execute("select datname from pg_database")}
    finally:
        for service in one.services:
            if service.process is not None:
                service.process.send_signal(signal.SIGINT)
                service.process.wait(30)
    assert {"airflow", "warehouse"} <= found
    assert any(name.startswith("department_") for name in found) is (sandbox == "1")
