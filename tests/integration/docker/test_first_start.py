"""The script that makes the server's databases, run against a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from threegaps import access
from threegaps.access import logins
from threegaps.access.findings import findings
from threegaps.contracts.departments import department_connections, departments_with_database
from threegaps.contracts.loader import load_contracts
from threegaps.ledger.migrate import upgrade
from threegaps.one_machine.postgres import SUPERUSER, PostgresServer
from threegaps.one_machine.temporary import temporary_server
from threegaps.settings import Settings, department_database

pytestmark = pytest.mark.integration

SCRIPT = Settings.load().root / "docker" / "initdb" / "10-databases.sh"
ACCESS_FOLDER = Path(access.__file__).parent
WAREHOUSE_PASSWORD = "it's a \\ password"
AIRFLOW_PASSWORD = "another"


@pytest.fixture(scope="module")
def started() -> Iterator[PostgresServer]:
    """A server on which the script has run once, as the image runs it."""
    with temporary_server() as server:
        environment = {
            "PATH": f"{server.binaries()}{os.pathsep}{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGPASSWORD": server.password,
            "POSTGRES_USER": SUPERUSER,
            "WAREHOUSE_PASSWORD": WAREHOUSE_PASSWORD,
            "AIRFLOW_DATABASE_PASSWORD": AIRFLOW_PASSWORD,
            "ACCESS_FOLDER": str(ACCESS_FOLDER),
        }
        finished = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
        assert WAREHOUSE_PASSWORD not in finished.stdout + finished.stderr
        yield server


def test_the_ledger_migrates_as_pipeline(started: PostgresServer) -> None:
    dsn = started.dsn("warehouse", user="pipeline", password=WAREHOUSE_PASSWORD)
    upgrade(dsn)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select count(*) from ops.batch").fetchone() == (0,)


def test_airflow_owns_its_database_and_enters_no_other(started: PostgresServer) -> None:
    with psycopg.connect(started.dsn("airflow", user="airflow", password=AIRFLOW_PASSWORD)) as connection:
        connection.execute("create table probe (number int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(started.dsn("warehouse", user="airflow", password=AIRFLOW_PASSWORD))


def test_the_pipeline_is_no_superuser(started: PostgresServer) -> None:
    with psycopg.connect(started.dsn()) as connection:
        rows = connection.execute(
            "select rolname, rolsuper, rolcanlogin from pg_roles where rolname = any(%s) order by 1",
            [["pipeline", "airflow", "bi_reader", "county_reader"]],
        ).fetchall()
    assert rows == [
        ("airflow", False, True),
        ("bi_reader", False, False),
        ("county_reader", False, False),
        ("pipeline", False, True),
    ]


def test_the_pipeline_gives_a_county_its_role(started: PostgresServer) -> None:
    dsn = started.dsn("warehouse", user="pipeline", password=WAREHOUSE_PASSWORD)
    upgrade(dsn)
    password = logins.add(dsn, "county_330102", "county", county_code="330102")
    with psycopg.connect(started.dsn("warehouse", user="county_330102", password=password)) as connection:
        assert connection.execute("select pg_has_role('county_reader', 'member')").fetchone() == (True,)
    logins.remove(dsn, "county_330102")


def test_the_pipeline_has_what_a_statistician_is_logged_with(started: PostgresServer) -> None:
    dsn = started.dsn("warehouse", user="pipeline", password=WAREHOUSE_PASSWORD)
    upgrade(dsn)
    password = logins.add(dsn, "a_statistician", "statistician")
    with psycopg.connect(started.dsn("warehouse", user="a_statistician", password=password)) as connection:
        assert connection.execute("show log_statement").fetchone() == ("all",)
    logins.remove(dsn, "a_statistician")


def test_nothing_stands_open_after_the_first_start(started: PostgresServer) -> None:
    dsn = started.dsn("warehouse", user="pipeline", password=WAREHOUSE_PASSWORD)
    upgrade(dsn)
    with psycopg.connect(dsn) as connection:
        assert findings(connection) == []


def test_the_departments_reader_may_read_what_a_load_makes(started: PostgresServer) -> None:
    script = SCRIPT.parents[1] / "initdb-department" / "10-databases.sh"
    environment = {
        "PATH": f"{started.binaries()}{os.pathsep}{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(started.port),
        "PGPASSWORD": started.password,
        "POSTGRES_USER": SUPERUSER,
        "DEPARTMENT_PASSWORD": "department's own",
        "DEPARTMENT_READER_PASSWORD": "reader's own",
    }
    finished = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    departments = departments_with_database(department_connections(load_contracts(Settings.load().contracts_folder)))
    assert departments
    for department in departments:
        database = department_database(department)
        owner = started.dsn(database, user="department", password="department's own")
        reader = started.dsn(database, user="department_reader", password="reader's own")
        with psycopg.connect(owner) as connection:
            connection.execute("create table public.dy13 (aac147 text)")
        with psycopg.connect(reader) as connection:
            assert connection.execute("select count(*) from public.dy13").fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("insert into public.dy13 values ('x')")
