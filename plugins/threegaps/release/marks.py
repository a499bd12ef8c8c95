"""What the comments of served relations say of their figures: synthetic, or shown without disclosure control.

A demonstration is a release of the sandbox: its figures are synthetic, and the one mark follows the other.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from threegaps.release.views import comment_on

SYNTHETIC = "【合成数据,标明真实公布数的除外 synthetic data, except what is marked as published】"
DEMONSTRATION = "【演示:未作披露控制,不得引用 demonstration without disclosure control: not to be quoted】"

# Exact figures are exact always.
_COMMENTED = """
select n.nspname, c.relname, c.relkind = 'v', d.description
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
where n.nspname in ('marts', 'history') and c.relkind in ('r', 'v') and strpos(d.description, %s) > 0
order by 1, 2
"""


def mark_demonstration(connection: psycopg.Connection[Any], *, is_demonstration: bool) -> None:
    """Say in the comment of each relation with figures that they are a demonstration's, or no more.

    To be called within the release's transaction: mark and figures become visible at once. Readers are not blocked.
    """
    for schema, name, is_view, comment in connection.execute(_COMMENTED, [SYNTHETIC]).fetchall():
        wanted = marked(comment.replace(DEMONSTRATION, ""), is_demonstration=is_demonstration)
        if wanted != comment:
            comment_on(connection, "view" if is_view else "table", sql.Identifier(schema, name), wanted)


def marked(comment: str, *, is_demonstration: bool) -> str:
    """*comment*, which says that figures are synthetic, with what else there is to say of them."""
    return comment.replace(SYNTHETIC, SYNTHETIC + DEMONSTRATION) if is_demonstration else comment


def serves_demonstration(connection: psycopg.Connection[Any]) -> bool:
    """Whether the release that serves is a demonstration."""
    row = connection.execute(
        "select r.is_demonstration from ops.current_release inner join ops.release as r using (release_id)"
    ).fetchone()
    return row is not None and bool(row[0])
