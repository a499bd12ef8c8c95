"""Homes, servers and warehouses for a time: for tests, benchmarks and `python -m threegaps.one_machine.temporary`.

What the killed have left is ended and removed by whoever makes the next one: a warehouse takes hundreds of megabytes.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from threegaps.access.server import make_roles
from threegaps.errors import ServiceError, ThreeGapsError, kind_of
from threegaps.home import processes
from threegaps.home.owners import is_left, note_owner
from threegaps.ledger.migrate import upgrade
from threegaps.one_machine import keeper
from threegaps.one_machine.ports import free_port
from threegaps.one_machine.postgres import PostgresServer, data_folders, ensure_database, ensure_role, servers_in
from threegaps.settings import WAREHOUSE_DATABASE, Settings
from threegaps.standards.visible import log_of

_logger = log_of(__name__)
_PREFIX = "threegaps-"
_PATIENCE_SECONDS = 5.0


@contextlib.contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder that another user may enter, as root's PostgreSQL does; gone at the end, after a kill with the next."""
    clear_left()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    note_owner(folder)
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        _remove(folder)


@contextlib.contextmanager
def temporary_server() -> Iterator[PostgresServer]:
    """A server for tests and benchmarks, gone with its data at the end."""
    with temporary_home() as folder:
        server = PostgresServer(folder, free_port(), secrets.token_urlsafe(16), durable=False)
        try:
            _start_on_a_free_port(server)
            yield server
        finally:
            server.stop()


def clear_left() -> None:
    """Remove the homes whose owner is gone, and end what runs of them; an odd one stays, and that is said."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if is_left(folder):
                _clear(folder)
        except FileNotFoundError:
            continue  # somebody else removes it
        except Exception as error:  # noqa: BLE001  # whatever is odd about it, the next home is to be had
            _say_left(folder, str(error) if isinstance(error, ThreeGapsError) else kind_of(error))


@functools.cache
def _say_left(folder: Path, why: str) -> None:
    """Say once why a home is left where it is."""
    _logger.warning("%s is left alone: %s", folder, why)


def _clear(folder: Path) -> None:
    """Remove another's home, and end what runs of it.

    Raises:
        ThreeGapsError: A part of it is a link, which may lead to what is not of it; or a service does not end.
    """
    if any(part.is_symlink() for parts in ("*", "postgres/*") for part in folder.glob(parts)):
        raise ServiceError("There is a link in it.", advice="remove it by hand.")
    if (folder / "state.json").exists():
        keeper.down(Settings.load({"THREEGAPS_HOME": str(folder)}))
    _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a home with the data of its servers, which are ended first.

    Raises:
        ServiceError: A server does not end.
    """
    for data in (place for home in (folder, folder / "postgres") for place in data_folders(home)):
        _end_server(data)
        shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _end_server(data: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while running := servers_in(data):
        late = time.monotonic() - deadline
        if late > _PATIENCE_SECONDS:
            raise ServiceError("PostgreSQL does not end.", advice=f"end what works in {data}.")
        processes.end(running, signal_number=signal.SIGKILL if late > 0 else signal.SIGQUIT)
        time.sleep(0.1)


def _start_on_a_free_port(server: PostgresServer, tries: int = 3) -> None:
    for last in range(tries):
        try:
            return server.start()
        except ServiceError:
            # Another program may have taken the port since it was found free.
            if last + 1 == tries:
                raise
            server.stop()
            server.port = free_port()
    return None


def run(command: list[str]) -> int:
    """Run *command* with THREEGAPS_WAREHOUSE_* set to an empty, migrated warehouse; its exit code."""
    with temporary_server() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            ensure_role(connection, "pipeline", password=server.password)
            make_roles(connection)
            ensure_database(connection, WAREHOUSE_DATABASE, owner="pipeline")
        upgrade(server.dsn(WAREHOUSE_DATABASE, user="pipeline"))
        warehouse = {
            "THREEGAPS_WAREHOUSE_HOST": "127.0.0.1",
            "THREEGAPS_WAREHOUSE_PORT": str(server.port),
            "THREEGAPS_WAREHOUSE_USER": "pipeline",
            "THREEGAPS_WAREHOUSE_PASSWORD": server.password,
            "THREEGAPS_WAREHOUSE_DATABASE": WAREHOUSE_DATABASE,
        }
        return subprocess.run(command, env=dict(os.environ) | warehouse, check=False).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[sys.argv.index("--") + 1 :]))
