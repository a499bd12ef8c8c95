"""A command with a warehouse of its own, gone afterwards: `python -m threegaps.one_machine.temporary -- COMMAND`."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg

from threegaps.access.server import make_roles
from threegaps.ledger.migrate import upgrade
from threegaps.one_machine.postgres import ensure_database, ensure_role, temporary_server
from threegaps.settings import WAREHOUSE_DATABASE


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
