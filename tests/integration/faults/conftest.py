"""The sandbox's departments behind real servers, small, and a warehouse of a test's own that reads from them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from sandbox import database as department_database
from sandbox.generate import Parameters, run
from sandbox.servers import http_gateway, sftp
from threegaps.services.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.settings import DEPARTMENT_DATABASE

SCALE = 0.00005
READER_PASSWORD = "reader-in-tests"


@dataclass
class Departments:
    """The running departments and the connections that lead to them."""

    home: Path
    http: http_gateway.RunningGateway
    sftp: sftp.RunningSftp
    connections: dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def departments(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Departments]:
    home = tmp_path_factory.mktemp("departments")
    run(home, Parameters(SCALE, 20250527, 0.02, 1000, False))
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        ensure_role(connection, "department", password="department-in-tests")
        ensure_role(connection, "department_reader", password=READER_PASSWORD)
        ensure_database(connection, DEPARTMENT_DATABASE, owner="department")
        connection.execute(f"grant connect on database {DEPARTMENT_DATABASE} to department_reader")
    owner = postgres.dsn(DEPARTMENT_DATABASE, user="department", password="department-in-tests")
    department_database.load(home, owner, None)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("grant select on all tables in schema public to department_reader")
    gateway, server = http_gateway.start(home), sftp.start(home)
    credentials = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
    loopback = {"host": "127.0.0.1"}
    yield Departments(
        home,
        gateway,
        server,
        {
            "hrss_gateway": {
                **loopback,
                "conn_type": "http",
                "schema": "http",
                "port": gateway.port,
                "login": credentials["app_id"],
                "password": credentials["app_secret"],
            },
            "hrss_database": {
                **loopback,
                "conn_type": "postgres",
                "port": postgres.port,
                "login": "department_reader",
                "password": READER_PASSWORD,
                "schema": DEPARTMENT_DATABASE,
            },
            "hrss_sftp": {
                **loopback,
                "conn_type": "sftp",
                "port": server.port,
                "login": "threegaps",
                "extra": {"key_file": str(home / "keys" / "client_key"), "no_host_key_check": True},
            },
            "hrss_file_drop": {"conn_type": "fs", "extra": {"path": str(home / "drop")}},
            "statistics_file_drop": {"conn_type": "fs", "extra": {"path": str(home / "drop")}},
        },
    )
    gateway.stop()
    server.stop()


def point_at(monkeypatch: pytest.MonkeyPatch, warehouse: str, landing: Path) -> None:
    """Let feed runs use *warehouse* and *landing*."""
    parts = conninfo_to_dict(warehouse)
    for name, part in (("HOST", "host"), ("PORT", "port"), ("USER", "user"), ("PASSWORD", "password")):
        monkeypatch.setenv(f"THREEGAPS_WAREHOUSE_{name}", str(parts[part]))
    monkeypatch.setenv("THREEGAPS_WAREHOUSE_DATABASE", str(parts["dbname"]))
    monkeypatch.setenv("THREEGAPS_LANDING_URI", landing.as_uri())
    monkeypatch.setenv("AIRFLOW_VAR_THREEGAPS_PSEUDONYM_KEY", "k" * 64)
    monkeypatch.setenv("AIRFLOW_VAR_THREEGAPS_PSEUDONYM_KEY_VERSION", "1")
    monkeypatch.setenv("AIRFLOW_HOME", os.environ.get("AIRFLOW_HOME", str(landing.parent / "airflow")))


def connect(monkeypatch: pytest.MonkeyPatch, name: str, connection: dict[str, Any]) -> None:
    """Set one Airflow connection."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


@pytest.fixture
def reading(
    departments: Departments, warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Departments]:
    """The departments, with this process set up to read from them into a warehouse of its own."""
    point_at(monkeypatch, warehouse, tmp_path / "landing")
    for name, connection in departments.connections.items():
        connect(monkeypatch, name, connection)
    yield departments
    departments.http.faults.update(type(departments.http.faults)().as_dict())
