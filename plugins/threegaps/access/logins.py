"""Logins of those who read: made, listed, given a new password, removed.

A login is a member of the groups that say what it may read; its limits are the database's, so that one that somebody
makes by hand has them too. A password is generated here and told once: the server is only given what it checks by.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import errors, sql
from psycopg.rows import class_row

from threegaps.access.server import GROUPS, scram_verifier
from threegaps.errors import AccessError, of_warehouse

Kind = Literal["bi", "county", "statistician"]

MEMBER_OF: Mapping[Kind, Sequence[str]] = {
    "bi": ("bi_reader",),
    "county": ("county_reader",),
    "statistician": ("bi_reader", "statistician"),
}
"""The groups of each kind of reader."""

CONNECTIONS: Mapping[Kind, int] = {"bi": 40, "county": 5, "statistician": 5}
"""How many sessions a login may have at once: a BI tool has a pool, a person a few windows."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PASSWORD_BYTES = 24

_LIST = """
select
    login.rolname as login,
    case
        when bool_or(team.rolname = 'statistician') then 'statistician'
        when bool_or(team.rolname = 'bi_reader') then 'bi'
        else 'county'
    end as kind,
    min(own.county_code) as county_code,
    login.rolconnlimit as most_connections,
    (select count(*) from pg_stat_activity as a where a.usesysid = login.oid) as connections
from pg_auth_members as member
inner join pg_roles as login on login.oid = member.member
inner join pg_roles as team on team.oid = member.roleid
left join ops.county_reader as own on own.role_name = login.rolname
where team.rolname = any(%s) and login.rolcanlogin and login.rolname <> 'pipeline'
group by login.oid, login.rolname, login.rolconnlimit
order by login.rolname
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """A login of a reader.

    Args:
        login: Its name.
        kind: What it may read.
        county_code: Whose rows an officer sees; None with the others.
        most_connections: How many sessions it may have at once; -1 is any number.
        connections: How many it has now.
    """

    login: str
    kind: Kind
    county_code: str | None
    most_connections: int
    connections: int


def listed(dsn: str) -> list[Reader]:
    """Every login that is a member of a group of readers, by name."""
    with _warehouse(dsn) as connection, connection.cursor(row_factory=class_row(Reader)) as cursor:
        return cursor.execute(_LIST, [list(GROUPS)]).fetchall()


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
    if not _NAME.fullmatch(login) or login.startswith("pg_"):
        raise AccessError(
            "A login is up to 63 small letters, digits and underscores, begins with a letter and not with pg_.",
            advice="for example county_330102, or bi_reports.",
        )
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    name = sql.Identifier(login)
    with _warehouse(dsn) as connection, connection.transaction():
        if _exists(connection, login):
            raise AccessError(
                "There is a role of this name.",
                advice="`threegaps reader renew` gives a reader a new password; else choose another name.",
            )
        connection.execute(
            sql.SQL("create role {} login connection limit {} password {} in role {}").format(
                name,
                sql.Literal(CONNECTIONS[kind]),
                sql.Literal(scram_verifier(connection, login, password)),
                sql.SQL(", ").join(map(sql.Identifier, MEMBER_OF[kind])),
            )
        )
        if county_code is not None:
            connection.execute("insert into ops.county_reader values (%s, %s)", [login, county_code])
        if kind == "statistician":
            _watch(connection, name)
    return password


def renew(dsn: str, login: str) -> str:
    """Give a reader a new password and end the sessions of the old one; the password, which is kept nowhere here.

    Raises:
        AccessError: There is no such reader, or `add` has not made it.
    """
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    with _warehouse(dsn) as connection:
        _check_is_reader(connection, login)
        verifier = scram_verifier(connection, login, password)
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(verifier)))
        _end_sessions(connection, login)
    return password


def remove(dsn: str, login: str) -> None:
    """Remove a reader's login and end its sessions; one that was cut off may be called again.

    Raises:
        AccessError: There is no such reader, or `add` has not made it.
    """
    name = sql.Identifier(login)
    with _warehouse(dsn) as connection:
        _check_is_reader(connection, login)
        # First nobody enters any more, then those who are in leave.
        connection.execute(sql.SQL("alter role {} nologin").format(name))
        _end_sessions(connection, login)
        with connection.transaction():
            connection.execute("delete from ops.county_reader where role_name = %s", [login])
            connection.execute(sql.SQL("drop role {}").format(name))


def _watch(connection: psycopg.Connection[Any], name: sql.Identifier) -> None:
    """Log what the statistician asks; exact values stand first where a relation is named without its schema.

    Terse lines would leave out the values that a tool sends apart from its statement; a reader's errors quote no row.
    """
    database = sql.Identifier(connection.info.dbname)
    for setting in ("log_statement = 'all'", "log_error_verbosity = 'default'", "search_path = exact, marts, history"):
        connection.execute(sql.SQL("alter role {} in database {} set {}").format(name, database, sql.SQL(setting)))


def _exists(connection: psycopg.Connection[Any], login: str) -> bool:
    return connection.execute("select from pg_roles where rolname = %s", [login]).fetchone() is not None


def _check_is_reader(connection: psycopg.Connection[Any], login: str) -> None:
    row = connection.execute(
        "select from pg_auth_members as m inner join pg_roles as r on r.oid = m.member"
        " inner join pg_roles as g on g.oid = m.roleid"
        " where r.rolname = %s and g.rolname = any(%s) and r.rolname <> 'pipeline'",
        [login, list(GROUPS)],
    ).fetchone()
    if row is None:
        raise AccessError("There is no reader of this name.", advice="`threegaps reader list` shows those there are.")


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
            advice="a login that was made by hand is changed by hand; else let the server's superuser run"
            " plugins/threegaps/access/roles.sql (docs/server.md, Readers).",
        ) from None
    except psycopg.OperationalError as error:
        raise AccessError(
            f"The warehouse cannot be reached: {of_warehouse(error)}.", advice="run `threegaps up`, then try again."
        ) from None
