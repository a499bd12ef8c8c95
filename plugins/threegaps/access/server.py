"""Roles and rights in SQL, the same on one machine, on a server and in the tests; most of it the superuser's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

GROUPS = ("bi_reader", "county_reader", "statistician", "duty_desk")
"""Roles that readers' logins are members of; none of them logs in itself."""

_FOLDER = Path(__file__).parent


def make_roles(connection: psycopg.Connection[Any]) -> None:
    """Make the groups of readers, and give role ``pipeline`` what it needs of them.

    Args:
        connection: Any database of the server, as its superuser; role ``pipeline`` is there.
    """
    connection.execute((_FOLDER / "roles.sql").read_bytes())


def open_to_duty(connection: psycopg.Connection[Any]) -> None:
    """Give the group of the duty page what its pages show and its people do, and take from it what it had before.

    Args:
        connection: The migrated warehouse, as role ``pipeline``.
    """
    with connection.transaction():
        connection.execute((_FOLDER / "duty.sql").read_bytes())


def scram_verifier(connection: psycopg.Connection[Any], login: str, password: str) -> str:
    """What the server keeps of a password, made on this side: the password itself stands in no statement and no log."""
    made = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    return made.decode("ascii")


def close_warehouse(connection: psycopg.Connection[Any]) -> None:
    """Take from everybody the server's functions by which a reader could stop or fill it.

    Args:
        connection: The warehouse's database, as the server's superuser.
    """
    connection.execute((_FOLDER / "warehouse.sql").read_bytes())
