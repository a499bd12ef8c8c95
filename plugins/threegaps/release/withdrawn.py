"""Taking back figures of persons and employers that were said before disclosure control stood as it does.

A cell that says no `covered_from` was said by a release of that time: exact where it is in tens or hidden today. Its
figures leave the past of every relation that readers have, as those of a cell that is hidden now do, and the releases
that said them say so in their notes, in the ledger and to readers. Once no relation that serves says such a cell any
more, none can come into the past again: the ledger notes it, and no later release looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import Manifest
from threegaps.release.blanking import blanked_column, blanked_row
from threegaps.release.served import StoredTable, stored_tables

NOTE = (
    "披露规则修订前的人员和单位数字已撤回 |"
    " figures of persons and employers from before today's disclosure rules are withdrawn"
)
NAME = "before_disclosure"
"""As what the ledger knows it."""
_CONFIDENTIAL = sql.SQL("(select indicator_code from core.seed_indicator where disclosure <> 'none')")


def withdraw_what_was_said_before(connection: psycopg.Connection[Any], manifest: Manifest) -> int:
    """Withdraw what the past still says of that time, within the caller's transaction; once done, it stays done.

    Args:
        connection: The warehouse, as its owner.
        manifest: The parsed dbt project.

    Returns:
        How many releases had said something that was withdrawn.
    """
    done = connection.execute("select true from ops.withdrawal where name = %s", [NAME]).fetchone()
    tables = [stored for stored in stored_tables(manifest) if stored.table.schema == "marts"]
    stamped = next((stored for stored in tables if stored.is_stamped), None)
    known = any(node["name"] == "seed_indicator" for node in manifest.nodes.values())
    if done or stamped is None or not known or "covered_from" not in stamped.table.column_names:
        return 0
    last = _last_that_said(connection, stamped.past, "release_from")
    releases = 0 if last is None else _withdraw(connection, tables, sql.Literal(last))
    # a cell that is held goes on serving, and comes into the past when it is freed
    if _last_that_said(connection, stamped.rows, "value_release_id") is None:
        connection.execute("insert into ops.withdrawal (name, last_release_id) values (%s, %s)", [NAME, last])
    return releases


def _last_that_said(connection: psycopg.Connection[Any], relation: sql.Composable, release: str) -> int | None:
    row = connection.execute(
        sql.SQL(
            "select max({}) from {} where covered_from is null and value_status <> 'suppressed'"
            " and indicator_code in {}"
        ).format(sql.Identifier(release), relation, _CONFIDENTIAL)
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _withdraw(connection: psycopg.Connection[Any], tables: Iterable[StoredTable], last: sql.Literal) -> int:
    for stored in tables:
        if "indicator_code" in stored.table.key:
            _withdraw_cells(connection, stored, last)
        else:
            _withdraw_columns(connection, stored, last)
    releases = connection.execute(
        sql.SQL(
            "update ops.release set note = concat_ws('; ', note, {note})"
            " where release_id <= {last} and position({note} in coalesce(note, '')) = 0"
        ).format(note=sql.Literal(NOTE), last=last)
    ).rowcount
    connection.execute(
        sql.SQL(
            "update marts.dim_release as d set note = r.note from ops.release as r"
            " where d.release_id = r.release_id and d.note is distinct from r.note and r.release_id <= {}"
        ).format(last)
    )
    return releases


def _withdraw_cells(connection: psycopg.Connection[Any], stored: StoredTable, last: sql.Literal) -> None:
    """Rows of one cell each: those that say no day from which they cover, or, in relations without it, old ones."""
    names = stored.table.column_names
    settings = blanked_row(names)
    is_old = sql.SQL("covered_from is null") if "covered_from" in names else sql.SQL("true")
    if settings:
        connection.execute(
            sql.SQL("update {} set {} where release_from <= {} and {} and indicator_code in {}").format(
                stored.past, sql.SQL(", ").join(settings), last, is_old, _CONFIDENTIAL
            )
        )


def _withdraw_columns(connection: psycopg.Connection[Any], stored: StoredTable, last: sql.Literal) -> None:
    """Rows of many cells: the columns that show one of a confidential indicator."""
    for column in stored.table.columns:
        if column.cell is None:
            continue
        connection.execute(
            sql.SQL("update {} set {} where release_from <= {} and {} in {}").format(
                stored.past, blanked_column(column), last, sql.Literal(column.cell[0]), _CONFIDENTIAL
            )
        )
