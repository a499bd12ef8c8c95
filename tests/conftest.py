"""Fixtures for all tests: a real PostgreSQL on loopback, a migrated warehouse."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import settings

from threegaps import translations
from threegaps.access.server import close_warehouse, make_roles
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.one_machine.temporary import temporary_server

# What is said is asserted word by word, whatever the language of whoever runs the tests.
os.environ["LC_ALL"] = "C.UTF-8"
os.environ.pop("THREEGAPS_LANG", None)

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("threegaps", deadline=None)
settings.load_profile("threegaps")

_numbers = itertools.count(1)
PIPELINE_PASSWORD = "pipeline-in-tests"


@pytest.fixture(autouse=True)
def no_language_of_another_test() -> Iterator[None]:
    """A command that was called in this process spoke its own language, which is kept for the process."""
    yield
    translations.use("both")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One running server for the whole session; databases are made per test."""
    with temporary_server() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            ensure_role(connection, "pipeline", password=PIPELINE_PASSWORD)
            make_roles(connection)
        yield server


def new_database(server: PostgresServer) -> str:
    """A new empty database owned by pipeline; its name."""
    name = f"warehouse_{next(_numbers)}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        ensure_database(connection, name, owner="pipeline")
    return name


@pytest.fixture
def empty_database(postgres: PostgresServer) -> str:
    """Connection string of an empty database, as role pipeline."""
    return postgres.dsn(new_database(postgres), user="pipeline", password=PIPELINE_PASSWORD)


class Warehouses:
    """Makes migrated warehouses, each a copy of one: quicker than migrating each."""

    def __init__(self, server: PostgresServer) -> None:
        from threegaps.ledger.migrate import upgrade

        self._server = server
        self._migrated = new_database(server)
        with psycopg.connect(server.dsn(self._migrated), autocommit=True) as connection:
            close_warehouse(connection)
        upgrade(self._dsn(self._migrated))

    def _dsn(self, name: str) -> str:
        return self._server.dsn(name, user="pipeline", password=PIPELINE_PASSWORD)

    def new(self) -> str:
        """Connection string of one more, as role pipeline."""
        name = f"warehouse_{next(_numbers)}"
        with psycopg.connect(self._server.dsn(), autocommit=True) as connection:
            connection.execute(f"create database {name} template {self._migrated} owner pipeline")
            # Who may use a database is not copied with it.
            connection.execute(f"revoke all on database {name} from public".encode())
            connection.execute(f"grant connect on database {name} to bi_reader, county_reader, statistician".encode())
        return self._dsn(name)


@pytest.fixture(scope="session")
def warehouses(postgres: PostgresServer) -> Warehouses:
    return Warehouses(postgres)


@pytest.fixture
def warehouse(warehouses: Warehouses) -> str:
    """Connection string of a warehouse of the test's own, migrated to the newest ledger."""
    return warehouses.new()


@pytest.fixture(scope="module")
def shared_warehouse(warehouses: Warehouses) -> str:
    """As `warehouse`, one for all tests of a module."""
    return warehouses.new()
