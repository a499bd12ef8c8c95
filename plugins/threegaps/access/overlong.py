"""Readers whose transactions never end: they keep the tables from being tidied, and a new column from being served.

A session may lift its own time-outs, so the pipeline looks after them from outside.
"""

from __future__ import annotations

from typing import Any

import psycopg

from threegaps.access.server import GROUPS

LONGEST_MINUTES = 15
"""Several statements may be asked in one transaction; each has five minutes."""

_END = """
select pg_terminate_backend(a.pid)
from pg_stat_activity as a
inner join pg_roles as r on r.oid = a.usesysid
where a.datname = current_database()
    and a.xact_start < clock_timestamp() - make_interval(mins => %(minutes)s)
    and not r.rolsuper and r.rolname <> 'pipeline'
    and exists (select from pg_roles as g where g.rolname = any(%(groups)s) and pg_has_role(r.oid, g.oid, 'member'))
"""


def end_overlong(connection: psycopg.Connection[Any], *, minutes: int = LONGEST_MINUTES) -> int:
    """End readers' sessions whose transaction is older than *minutes*; how many.

    Args:
        connection: The warehouse, as role ``pipeline``, which may signal sessions of others.
        minutes: The age from which on a transaction is ended.
    """
    return len(connection.execute(_END, {"minutes": minutes, "groups": list(GROUPS)}).fetchall())
