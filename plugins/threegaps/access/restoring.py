"""What a reader has changed of the own login, and putting it back.

PostgreSQL lets every login change its own password and lift its own limits for good; there is no right that could be
taken away. So what a login was given stands in the ledger, and the pipeline compares and restores it from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from threegaps.access.kinds import SETTINGS, Kind
from threegaps.access.server import GROUPS

Credential = Literal["given", "other", "unknown"]
"""The one that we gave; another; or nobody has let us compare (the superuser has not run ``warehouse.sql``)."""

# Members through other roles, too, and those in the ledger that may not log in any more. A setting that only the
# superuser can give is his, not the reader's.
_READERS = """
with reader as (
    select
        login.oid as role_id,
        login.rolname as login,
        case
            when bool_or(team.rolname = 'duty_desk') then 'duty'
            when bool_or(team.rolname = 'statistician') then 'statistician'
            when bool_or(team.rolname = 'bi_reader') then 'bi'
            else 'county'
        end as kind,
        login.rolconnlimit as most_connections
    from pg_roles as login
    inner join pg_roles as team
        on team.rolname = any(%(groups)s) and pg_has_role(login.oid, team.oid, 'member')
    where not login.rolsuper and login.rolname <> 'pipeline'
        and (login.rolcanlogin or login.rolname in (select own.login from ops.reader_login as own))
    group by login.oid, login.rolname, login.rolconnlimit
)

select
    reader.login,
    reader.kind,
    own.county_code,
    reader.most_connections,
    (select count(*) from pg_stat_activity as a where a.usesysid = reader.role_id) as connections,
    array(
        select entry.text
        from pg_db_role_setting as s
        cross join unnest(s.setconfig) as entry (text)
        left join pg_settings as known on known.name = split_part(entry.text, '=', 1)
        where s.setrole = reader.role_id
            and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
            and (known.context = 'user' or entry.text ~ '^[^=]*[.]' or split_part(entry.text, '=', 1) = any(%(given)s))
    ) as settings,
    {credential} as credential,
    held.restored_at
from reader
left join ops.county_reader as own on own.role_name = reader.login
left join ops.reader_login as held using (login)
where %(login)s::name is null or reader.login = %(login)s
order by reader.login
"""

_CREDENTIAL = """
case when access.password_is(reader.login, held.verifier) then 'given' else 'other' end
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
        settings: Its settings in the warehouse, ``name=value``.
        credential: Whether its password is the one that we gave.
        restored_at: When what the reader had changed was last put back; None when it never was.
    """

    login: str
    kind: Kind
    county_code: str | None
    most_connections: int
    connections: int
    settings: Sequence[str]
    credential: Credential
    restored_at: Any

    @property
    def changed_settings(self) -> int:
        """How many settings are not what the login was given."""
        given = {f"{name}={value}" for name, value in SETTINGS[self.kind].items()}
        return len({entry.partition("=")[0] for entry in given ^ set(self.settings)})

    @property
    def is_changed(self) -> bool:
        """Whether a setting or the password is not what the login was given."""
        return bool(self.changed_settings) or self.credential == "other"


def readers(connection: psycopg.Connection[Any], login: str | None = None) -> list[Reader]:
    """Every login that is a member of a group of readers, by name; with *login* that one, if it is a reader."""
    row = connection.execute("select to_regprocedure('access.password_is(name,text)') is not null").fetchone()
    can_compare = row is not None and row[0]
    query = _READERS.format(credential=_CREDENTIAL if can_compare else "'unknown'")
    given = sorted({name for settings in SETTINGS.values() for name in settings})
    with connection.cursor(row_factory=class_row(Reader)) as cursor:
        return cursor.execute(query.encode(), {"groups": list(GROUPS), "given": given, "login": login}).fetchall()


def give_settings(connection: psycopg.Connection[Any], login: str, kind: Kind) -> None:
    """Give a login the settings of its kind in the warehouse, and no others anywhere."""
    role, database = sql.Identifier(login), sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("alter role {} reset all").format(role))
    connection.execute(sql.SQL("alter role {} in database {} reset all").format(role, database))
    for name, value in SETTINGS[kind].items():
        connection.execute(
            sql.SQL("alter role {} in database {} set {} = {}").format(
                role, database, sql.Identifier(name), sql.Literal(value)
            )
        )


def give_password(connection: psycopg.Connection[Any], login: str, verifier: str) -> None:
    """Give a login the password that *verifier* is made of, and note it in the ledger."""
    connection.execute(
        "insert into ops.reader_login (login, verifier) values (%s, %s)"
        " on conflict (login) do update set verifier = excluded.verifier",
        [login, verifier],
    )
    connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(verifier)))


def restore_changed(connection: psycopg.Connection[Any]) -> tuple[list[str], list[str]]:
    """Put back what readers have changed of their logins: those that are as given again, and those that are not.

    A password that we have not given is left alone: only its owner knows whether it is the right one.

    Args:
        connection: The warehouse, as role ``pipeline``, in autocommit.
    """
    restored: list[str] = []
    left: list[str] = []
    for login in [reader.login for reader in readers(connection) if reader.is_changed]:
        try:
            with connection.transaction():
                is_restored = _restore(connection, login)
        except psycopg.Error:
            # Made by the superuser, or changed at this moment: the next round comes in minutes.
            is_restored = False
        (restored if is_restored else left).append(login)
    return restored, left


def _restore(connection: psycopg.Connection[Any], login: str) -> bool:
    # Whoever renews it meanwhile waits here, or has been waited for: no older password is put over a new one.
    held = connection.execute("select verifier from ops.reader_login where login = %s for update", [login]).fetchone()
    for reader in readers(connection, login):
        if reader.changed_settings:
            give_settings(connection, login, reader.kind)
        if held is not None and reader.credential == "other":
            give_password(connection, login, str(held[0]))
    connection.execute("update ops.reader_login set restored_at = clock_timestamp() where login = %s", [login])
    return not any(reader.is_changed for reader in readers(connection, login))
