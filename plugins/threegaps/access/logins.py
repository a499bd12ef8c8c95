"""Logins of those who read: made, listed, given a new password, removed.

A login is a member of the groups that say what it may read; its limits are the database's, so that one that somebody
makes by hand has them too. A password is generated here and shown once: the server is only given what it checks by.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import errors, sql

from threegaps.access.kinds import CONNECTIONS, MEMBER_OF, Kind
from threegaps.access.restoring import Reader, give_password, give_settings, readers
from threegaps.access.server import GROUPS, open_to_duty, scram_verifier
from threegaps.errors import AccessError, of_warehouse
from threegaps.settings import DUTY_LOGIN

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# What the server takes for everybody or nobody, quoted or not.
_RESERVED = frozenset({"public", "none"})
_PASSWORD_BYTES = 24
# Whether before PostgreSQL 16: there, a member always has its role's rights; since, it may have been made without them.
_GRANT_OF_ROLE: dict[bool, LiteralString] = {
    True: "grant {} to {}",
    False: "grant {} to {} with inherit true, set true",
}


def listed(dsn: str) -> list[Reader]:
    """Every login that is a member of a group of readers, by name."""
    with _warehouse(dsn) as connection:
        return readers(connection)


def add(dsn: str, login: str, kind: Kind, *, county_code: str | None = None) -> str:
    """Make a login; its password, which is kept nowhere here.

    Args:
        dsn: The warehouse, as role ``pipeline``.
        login: A name of small letters, digits and underscores.
        kind: What it may read.
        county_code: Of an officer: the county, which the caller has checked.

    Raises:
        AccessError: The name is none, or is taken, or the server has not been prepared.
    """
    if login in _RESERVED:
        raise AccessError(
            f"{login} is a word of PostgreSQL's, no login.", advice="for example county_330102, or bi_reports."
        )
    if not _NAME.fullmatch(login) or login.startswith("pg_"):
        raise AccessError(
            "A login is up to 63 small letters, digits and underscores, begins with a letter and not with pg_.",
            advice="for example county_330102, or bi_reports.",
        )
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    with _warehouse(dsn) as connection, connection.transaction():
        if _exists(connection, login):
            raise AccessError(
                "There is a role of this name.",
                advice="`threegaps reader renew` gives a reader a new password; else choose another name.",
            )
        _create(connection, login, kind)
        give_password(connection, login, scram_verifier(connection, login, password))
        if county_code is not None:
            connection.execute("insert into ops.county_reader values (%s, %s)", [login, county_code])
    return password


def keep(dsn: str, login: str, kind: Kind, password: str) -> None:
    """Make a login with a password that is kept elsewhere, or bring one that is there back to all that it was given.

    A group that it was given since is taken from it; what only the superuser may take, `findings` names.

    Args:
        dsn: The warehouse, as role ``pipeline``.
        login: Its name, which no other role has.
        kind: What it may read.
        password: Its password.
    """
    with _warehouse(dsn) as connection, connection.transaction():
        if not _exists(connection, login):
            _create(connection, login, kind)
        for group in GROUPS:
            if group in MEMBER_OF[kind]:
                _make_member(connection, sql.Identifier(login), sql.Identifier(group))
            else:
                connection.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(group), sql.Identifier(login)))
        _give_all(connection, login, kind, password)


def keep_duty(dsn: str, password: str) -> None:
    """Make the duty page's own login, or bring it and the rights of its group back to all that they were given.

    Args:
        dsn: The migrated warehouse, as role ``pipeline``.
        password: Its password.
    """
    with _warehouse(dsn) as connection:
        open_to_duty(connection)
    keep(dsn, DUTY_LOGIN, "duty", password)


def renew(dsn: str, login: str) -> str:
    """Give a reader a new password, and the settings and limits of its kind; end its sessions.

    Returns:
        The password, which is kept nowhere here.

    Raises:
        AccessError: There is no such reader, or the server's superuser made it and has not handed it over.
    """
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    with _warehouse(dsn) as connection:
        kind = _reader(connection, login).kind
        with connection.transaction():
            _give_all(connection, login, kind, password)
        _end_sessions(connection, login)
    return password


def remove(dsn: str, login: str) -> None:
    """Remove a reader's login and end its sessions; one that was cut off may be called again.

    Raises:
        AccessError: There is no such reader, or the server's superuser made it and has not handed it over.
    """
    name = sql.Identifier(login)
    with _warehouse(dsn) as connection:
        _reader(connection, login)
        # First nobody enters any more, then those who are in leave: a login still, which is found when called again.
        connection.execute(sql.SQL("alter role {} connection limit 0").format(name))
        _end_sessions(connection, login)
        with connection.transaction():
            connection.execute("delete from ops.county_reader where role_name = %s", [login])
            connection.execute("delete from ops.reader_login where login = %s", [login])
            _drop(connection, name)


def _drop(connection: psycopg.Connection[Any], name: sql.Identifier) -> None:
    drop_role = sql.SQL("drop role {}").format(name)
    try:
        with connection.transaction():
            connection.execute(drop_role)
    except errors.DependentObjectsStillExist:
        # A reader makes nothing, but may have changed its own default privileges; they go by the rights of its role.
        _make_member(connection, sql.SQL("current_user"), name)
        connection.execute(sql.SQL("drop owned by {}").format(name))
        connection.execute(drop_role)


def _create(connection: psycopg.Connection[Any], login: str, kind: Kind) -> None:
    connection.execute(
        sql.SQL("create role {} login connection limit {} in role {}").format(
            sql.Identifier(login),
            sql.Literal(CONNECTIONS[kind]),
            sql.SQL(", ").join(map(sql.Identifier, MEMBER_OF[kind])),
        )
    )
    give_settings(connection, login, kind)


def _give_all(connection: psycopg.Connection[Any], login: str, kind: Kind, password: str) -> None:
    give_password(connection, login, scram_verifier(connection, login, password))
    give_settings(connection, login, kind)
    connection.execute(
        sql.SQL("alter role {} login connection limit {}").format(sql.Identifier(login), sql.Literal(CONNECTIONS[kind]))
    )


def _make_member(connection: psycopg.Connection[Any], member: sql.Composable, role: sql.Identifier) -> None:
    connection.execute(sql.SQL(_GRANT_OF_ROLE[_is_before_16(connection)]).format(role, member))


def _exists(connection: psycopg.Connection[Any], login: str) -> bool:
    return connection.execute("select from pg_roles where rolname = %s", [login]).fetchone() is not None


def _reader(connection: psycopg.Connection[Any], login: str) -> Reader:
    for reader in readers(connection, login):
        return reader
    raise AccessError("There is no reader of this name.", advice="`threegaps reader list` shows those there are.")


def _is_before_16(connection: psycopg.Connection[Any]) -> bool:
    return connection.info.server_version < 160_000


def _end_sessions(connection: psycopg.Connection[Any], login: str) -> None:
    connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [login])


@contextmanager
def _warehouse(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A session in autocommit, whose refusals are said in our words."""
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            yield connection
    except errors.InsufficientPrivilege:
        raise AccessError(
            "Role pipeline may not do this on this server.",
            advice="let the server's superuser run plugins/threegaps/access/roles.sql, which hands over logins that"
            " were made by hand, too (docs/server.md, Readers).",
        ) from None
    except errors.DependentObjectsStillExist:
        raise AccessError(
            "Something else on this server hangs on what this login owns.",
            advice="let the server's superuser look at it (`drop owned by` in each database), then try again.",
        ) from None
    except psycopg.OperationalError as error:
        raise AccessError(
            f"The warehouse cannot be reached: {of_warehouse(error)}.", advice="run `threegaps up`, then try again."
        ) from None
