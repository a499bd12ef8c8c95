"""The sandbox's departments behind real servers, small, and a warehouse of a test's own that reads from them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from sandbox import database as departments_tables
from sandbox.generate import run
from sandbox.parameters import Parameters
from sandbox.servers import http_gateway, sftp
from tests.conftest import Warehouses
from tests.integration.faults.small_feeds import (
    CERTIFICATES,
    ENTERPRISE_FILE,
    ENTERPRISES,
    MONTH,
    TRAINING,
    WAGES,
    WageFolder,
    content,
    enterprise_book,
    enterprise_rows,
    wage_part,
    wage_rows,
)
from threegaps import feed_run
from threegaps.contracts.departments import department_connections
from threegaps.contracts.loader import load_contracts
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.settings import Settings, department_database
from threegaps.sources.quiet import Looks

SCALE = 0.00005
DIRT = 0.05  # at this scale less leaves feeds without a refused row
HRSS_DATABASE = department_database("hrss")
LAST_DAY = "2026-06-30"
CLEAN_RUNS = {TRAINING: LAST_DAY, CERTIFICATES: LAST_DAY, WAGES: MONTH, ENTERPRISES: "2024Q3"}
READER_PASSWORD = "reader-in-tests"


@dataclass
class Departments:
    """The running departments and the connections that lead to them."""

    home: Path
    http: http_gateway.RunningGateway
    sftp: sftp.RunningSftp
    connections: dict[str, dict[str, Any]]
    department_dsn: str


@pytest.fixture(scope="session")
def departments(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Departments]:
    home = tmp_path_factory.mktemp("departments")
    run(home, Parameters(SCALE, 20250527, DIRT, 1000, False))
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        ensure_role(connection, "department", password="department-in-tests")
        ensure_role(connection, "department_reader", password=READER_PASSWORD)
        for department in ("hrss", "finance"):
            name = department_database(department)
            ensure_database(connection, name, owner="department")
            connection.execute(f"grant connect on database {name} to department_reader")
            owner = postgres.dsn(name, user="department", password="department-in-tests")
            departments_tables.load(home, owner, department)
            with psycopg.connect(owner, autocommit=True) as tables:
                tables.execute("grant select on all tables in schema public to department_reader")
    owner = postgres.dsn(HRSS_DATABASE, user="department", password="department-in-tests")
    gateway, server = http_gateway.start(home), sftp.start(home)
    credentials = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
    loopback = {"host": "127.0.0.1"}
    database = {
        **loopback,
        "conn_type": "postgres",
        "port": postgres.port,
        "login": "department_reader",
        "password": READER_PASSWORD,
    }
    files = {
        **loopback,
        "conn_type": "sftp",
        "port": server.port,
        "login": "threegaps",
        "extra": {"key_file": str(home / "keys" / "client_key"), "no_host_key_check": True},
    }
    drop = {"conn_type": "fs", "extra": {"path": str(home / "drop")}}
    http = {
        **loopback,
        "conn_type": "http",
        "schema": "http",
        "port": gateway.port,
        "login": credentials["app_id"],
        "password": credentials["app_secret"],
    }
    by_protocol = {"http": http, "sftp": files, "file_drop": drop, "database": database}
    named = department_connections(load_contracts(Settings.load().contracts_folder))
    connections: dict[str, dict[str, Any]] = {one.connection_id: dict(by_protocol[one.protocol]) for one in named}
    for one in named:
        if one.protocol == "database":
            connections[one.connection_id]["schema"] = department_database(one.department)
    yield Departments(home, gateway, server, connections, owner)
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


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files as soon as they are there: tests of what happens to them afterwards do not wait."""
    monkeypatch.setattr(Looks, "seconds_left", lambda *_: 0.0)


@pytest.fixture(scope="session")
def wage_server(departments: Departments, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sftp.RunningSftp]:
    """An SFTP server with nothing on it but what a test sends; it takes the departments' key."""
    home = tmp_path_factory.mktemp("wage_server")
    shutil.copytree(departments.home / "keys", home / "keys")
    (home / "sftp").mkdir()
    server = sftp.start(home)
    server_home[server.port] = home / "sftp"
    yield server
    server.stop()


server_home: dict[int, Path] = {}


@pytest.fixture
def wages(reading: Departments, wage_server: sftp.RunningSftp, monkeypatch: pytest.MonkeyPatch) -> Iterator[WageFolder]:
    """The month's folder on a server of its own; feed runs read from there."""
    connect(monkeypatch, "hrss_sftp", {**reading.connections["hrss_sftp"], "port": wage_server.port})
    root = server_home[wage_server.port]
    yield WageFolder(root)
    shutil.rmtree(root / "wage_records")


@pytest.fixture
def drop(reading: Departments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty drop folder that both departments use."""
    folder = tmp_path / "drop"
    for department in ("hrss", "statistics"):
        (folder / department).mkdir(parents=True)
        connect(monkeypatch, f"{department}_file_drop", {"conn_type": "fs", "extra": {"path": str(folder)}})
    return folder


@dataclass(frozen=True)
class Clean:
    """What each feed comes to when nothing goes wrong: number and hash of its rows."""

    rows: dict[str, tuple[int, str]]

    def __getitem__(self, feed: str) -> tuple[int, str]:
        return self.rows[feed]


@pytest.fixture(scope="session")
def clean(
    departments: Departments,
    wage_server: sftp.RunningSftp,
    warehouses: Warehouses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Clean:
    """One run of each feed with no fault at all."""
    folder, warehouse = tmp_path_factory.mktemp("clean"), warehouses.new()
    root = server_home[wage_server.port]
    (folder / "drop" / "hrss").mkdir(parents=True)
    (folder / "drop" / "hrss" / ENTERPRISE_FILE).write_bytes(enterprise_book(enterprise_rows()))
    WageFolder(root).send(wage_part(wage_rows()))
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, warehouse, folder / "landing")
        settle(patch)
        for name, connection in departments.connections.items():
            connect(patch, name, connection)
        connect(patch, "hrss_sftp", {**departments.connections["hrss_sftp"], "port": wage_server.port})
        connect(patch, "hrss_file_drop", {"conn_type": "fs", "extra": {"path": str(folder / "drop")}})
        for feed, delivery in CLEAN_RUNS.items():
            feed_run.land(feed, delivery)
            feed_run.load(feed, delivery)
    shutil.rmtree(root / "wage_records")
    return Clean({feed: content(warehouse, feed) for feed in CLEAN_RUNS})


@pytest.fixture
def reading(
    departments: Departments, warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Departments]:
    """The departments, with this process set up to read from them into a warehouse of its own."""
    point_at(monkeypatch, warehouse, tmp_path / "landing")
    settle(monkeypatch)
    for name, connection in departments.connections.items():
        connect(monkeypatch, name, connection)
    yield departments
    departments.http.faults.update(type(departments.http.faults)().as_dict())
