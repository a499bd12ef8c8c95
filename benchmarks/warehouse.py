"""An empty warehouse for a measurement, gone with its server and its files at the end."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from threegaps.access.server import make_roles
from threegaps.ledger.migrate import upgrade
from threegaps.one_machine.postgres import ensure_database, ensure_role
from threegaps.one_machine.temporary import temporary_server


@contextlib.contextmanager
def temporary_warehouse() -> Iterator[tuple[str, Path]]:
    """The address of a warehouse with roles and ledger, and a folder for what belongs to it."""
    password = secrets.token_hex(16)
    with temporary_server() as server, tempfile.TemporaryDirectory() as folder:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            ensure_role(connection, "pipeline", password=password)
            make_roles(connection)
            ensure_database(connection, "warehouse", owner="pipeline")
        dsn = server.dsn("warehouse", user="pipeline", password=password)
        upgrade(dsn)
        yield dsn, Path(folder)
