"""A release: one ordinary transaction that applies just the difference to what is served.

Rows are compared by key and content. Numbers of releases and times of builds are not content, and neither is
``data_as_of``: a figure that did not change keeps the date as of which it was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from threegaps.errors import ReleaseError
from threegaps.marts.manifest import Manifest, ServedTable
from threegaps.release import holds, marks
from threegaps.release.blanking import CELL_KEY, blanked_column, blanked_row
from threegaps.release.inputs import note_inputs
from threegaps.release.served import StoredTable, stored_tables
from threegaps.release.withdrawn import withdraw_what_was_said_before

NOT_CONTENT = frozenset({"release_id", "value_release_id", "data_as_of", "built_at"})
# What becomes of a figure after it was said as final is a revision; that it is hidden from now on, or shown in tens
# instead of exactly, is none.
_IS_REVISION = (
    "o.maturity = 'final' and o.value_status = 'reported' and n.value_status <> 'suppressed'"
    " and n.value is distinct from o.value and n.rounding is not distinct from o.rounding"
)

# An undo says what was said before, and whether that was revised.
_REVISED_BY = {"build": f"o.is_revised or ({_IS_REVISION})", "history": "n.is_revised"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A release, how many rows of all served relations it changed, and which relations these are."""

    release_id: int
    inserted: int
    changed: int
    removed: int
    written: tuple[ServedTable, ...] = ()


def apply_build(connection: psycopg.Connection[Any], manifest: Manifest, build_id: int) -> Outcome:
    """Release what a build made; *connection* must hold the builder's lock.

    Readers are never blocked: rows are changed in place, under the versions that their snapshots see.
    """
    with connection.transaction():
        _note_holds(connection, manifest)
        release_id = _new_release(
            connection,
            "insert into ops.release (build_id, kind, as_of, is_demonstration)"
            " select build_id, 'build', as_of, shows_exact_cells from ops.build where build_id = %s"
            " returning release_id",
            [build_id],
        )
        outcome = _apply(connection, manifest, release_id, source="build")
        note_inputs(connection, manifest)
        connection.execute(
            "update ops.build set status = 'released', finished_at = clock_timestamp() where build_id = %s", [build_id]
        )
    _tidy(connection, manifest, outcome)
    return outcome


def apply_past(
    connection: psycopg.Connection[Any], manifest: Manifest, *, undoes: int, past: int, note: str
) -> Outcome:
    """Release what release *past* said, within the caller's transaction."""
    connection.execute("select set_config('threegaps.release', %s, true)", [str(past)])
    release_id = _new_release(
        connection,
        "insert into ops.release (kind, undoes_release_id, as_of, note, is_demonstration)"
        " select 'undo', %s, as_of, %s, is_demonstration from ops.release where release_id = %s returning release_id",
        [undoes, note, past],
    )
    return _apply(connection, manifest, release_id, source="history")


def _note_holds(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    holds.note_held(connection, holds.held_slices(connection, manifest))
    connection.execute("analyze held_slice")


def _new_release(connection: psycopg.Connection[Any], query: str, parameters: list[object]) -> int:
    row = connection.execute(query.encode(), parameters).fetchone()
    if row is None:
        raise ReleaseError("The ledger gave the release no number.")
    return int(row[0])


def _apply(connection: psycopg.Connection[Any], manifest: Manifest, release_id: int, *, source: str) -> Outcome:
    totals = {"i": 0, "u": 0, "d": 0}
    tables = stored_tables(manifest)
    written = []
    for stored in tables:
        counts = _apply_table(connection, stored, release_id, source=source)
        for kind, count in counts.items():
            totals[kind] += count
        if any(counts.values()):
            written.append(stored.table)
    for stored in tables:
        _blank_past(connection, manifest, stored, release_id)
    withdraw_what_was_said_before(connection, manifest)
    outcome = Outcome(release_id, totals["i"], totals["u"], totals["d"], tuple(written))
    connection.execute(
        "update ops.release set cells_inserted = %s, cells_changed = %s, cells_removed = %s, released_at ="
        " clock_timestamp() where release_id = %s",
        [outcome.inserted, outcome.changed, outcome.removed, release_id],
    )
    connection.execute(
        "insert into marts.dim_release"
        " (release_id, kind, as_of, released_at, undoes_release_id, note, is_demonstration)"
        " select release_id, kind, as_of, released_at, undoes_release_id, note, is_demonstration"
        " from ops.release where release_id = %s",
        [release_id],
    )
    connection.execute(
        "insert into ops.current_release (release_id) values (%s)"
        " on conflict (only_row) do update set release_id = excluded.release_id",
        [release_id],
    )
    marks.mark_demonstration(connection, is_demonstration=marks.serves_demonstration(connection))
    return outcome


def _apply_table(
    connection: psycopg.Connection[Any], stored: StoredTable, release_id: int, *, source: str
) -> dict[str, int]:
    table = stored.table
    columns = table.column_names
    content = [name for name in columns if name not in table.key and name not in NOT_CONTENT]
    difference = sql.Identifier(f"difference_{stored.label}"[:63])
    flags = [column.name for column in stored.flags]
    kept = flags if source == "history" else []
    condition = holds.held_condition(table) if source == "build" else None
    parts = {
        "difference": difference,
        "rows": stored.rows,
        "past": stored.past,
        "source": _source(stored, source),
        "key": _list(table.key),
        "columns": _list(columns),
        "flags": sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in flags),
        "old_flags": sql.SQL("").join(sql.SQL(", o.{}").format(sql.Identifier(name)) for name in flags),
        "flagged": sql.SQL(", is_revised = {}").format(sql.SQL(_REVISED_BY[source])) if flags else sql.SQL(""),
        "kept": sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in kept),
        "new_kept": sql.SQL("").join(sql.SQL(", n.{}").format(sql.Identifier(name)) for name in kept),
        "old": _list(columns, "o"),
        "new": _list(columns, "n"),
        "changed": sql.SQL("row({}) is distinct from row({})").format(_list(content, "n"), _list(content, "o"))
        if content
        else sql.SQL("false"),
        "free": sql.SQL("not ({})").format(condition) if condition is not None else sql.SQL("true"),
        "assigned": sql.SQL(", ").join(
            sql.SQL("{0} = n.{0}").format(sql.Identifier(name)) for name in columns if name not in table.key
        )
        if len(columns) > len(table.key)
        else sql.SQL("{0} = n.{0}").format(sql.Identifier(table.key[0])),
        "release": sql.Literal(release_id),
    }

    def run(statement: str) -> int:
        return connection.execute(sql.SQL(statement).format(**parts)).rowcount

    run(
        "create temp table {difference} on commit drop as select k.* from ("
        " select {key}, case when o.value_release_id is null then 'i' when n.is_there is null then 'd' else 'u' end"
        " as difference_kind from (select *, true as is_there from {source} as source_rows) as n"
        " full join {rows} as o using ({key})"
        " where o.value_release_id is null or n.is_there is null or {changed}) as k where {free}"
    )
    run("analyze {difference}")
    run(
        "insert into {past} ({columns}{flags}, release_from, release_to) select {old}{old_flags},"
        " o.value_release_id, {release}"
        " from {rows} as o join {difference} using ({key}) where difference_kind in ('u', 'd')"
    )
    matched = sql.SQL(" and ").join(sql.SQL("o.{0} = d.{0}").format(sql.Identifier(name)) for name in table.key)
    parts["matched"] = matched
    removed = run("delete from {rows} as o using {difference} as d where {matched} and d.difference_kind = 'd'")
    changed = run(
        "update {rows} as o set {assigned}{flagged}, value_release_id = {release} from {source} as n"
        " join {difference} as d using ({key}) where {matched} and d.difference_kind = 'u'"
    )
    inserted = run(
        "insert into {rows} ({columns}{kept}, value_release_id) select {new}{new_kept}, {release} from {source} as n"
        " join {difference} as d using ({key}) where d.difference_kind = 'i'"
    )
    return {"i": inserted, "u": changed, "d": removed}


def _source(stored: StoredTable, source: str) -> sql.Composed:
    """The rows to serve, cast to the served types; as a sub-select. The past says its flags too."""
    table = stored.table
    relation = stored.built if source == "build" else stored.pinned
    kept = () if source == "build" else stored.flags
    cast = sql.SQL(", ").join(
        sql.SQL("{0}::{1} as {0}").format(sql.Identifier(column.name), sql.SQL(column.data_type))
        for column in table.columns
    ) + sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(column.name)) for column in kept)
    return sql.SQL("(select {} from {})").format(cast, relation)


_SET = sql.SQL("update {} as p set {} from")
_DELETE = sql.SQL("delete from {} as p using")


def _blank_past(connection: psycopg.Connection[Any], manifest: Manifest, stored: StoredTable, release_id: int) -> None:
    """Take the figures of cells that this release suppressed out of the past too, whatever relation they stand in."""
    table = stored.table
    stamped = next((other for other in stored_tables(manifest) if other.is_stamped), None)
    if stamped is None or table.schema != "marts" or not {"area_code", "period_type", "period_end"} <= set(table.key):
        return
    suppressed = sql.SQL("(select {} from {} where value_status = 'suppressed' and value_release_id = {})").format(
        _list(CELL_KEY), stamped.rows, sql.Literal(release_id)
    )
    if "indicator_code" in table.key:
        # below a hidden total no part is served, and none was
        parts = sql.SQL("")
        if "breakdown" in table.key:
            parts = sql.SQL(
                " and (s.breakdown = 'total' or (p.breakdown, p.breakdown_value) = (s.breakdown, s.breakdown_value))"
            )
        shared = [name for name in CELL_KEY if name in table.key and not name.startswith("breakdown")]
        if "area_rank" in table.column_names:
            # a place without its number would still say that the cell had one
            _of_suppressed(connection, _DELETE.format(stored.past), suppressed, shared, parts)
        elif settings := blanked_row(table.column_names):
            blank = _SET.format(stored.past, sql.SQL(", ").join(settings))
            _of_suppressed(connection, blank, suppressed, shared, parts)
        return
    shared = ["area_code", "period_type", "period_end"]
    for shown in table.columns:
        if shown.cell is None:
            continue
        column = sql.Identifier(shown.name)
        code, *part = (sql.Literal(name) for name in shown.cell)
        of_the_cell = sql.SQL(
            " and p.{} is not null and s.indicator_code = {}"
            " and (s.breakdown = 'total' or (s.breakdown, s.breakdown_value) = ({}))"
        ).format(column, code, sql.SQL(", ").join(part))
        blank = _SET.format(stored.past, blanked_column(shown))
        _of_suppressed(connection, blank, suppressed, shared, of_the_cell)


def _of_suppressed(
    connection: psycopg.Connection[Any],
    change: sql.Composed,
    suppressed: sql.Composed,
    shared: list[str],
    extra: sql.Composable,
) -> None:
    """Apply *change*, `_SET` or `_DELETE`, to the past rows of suppressed cells."""
    connection.execute(
        sql.SQL("{} {} as s where {}{}").format(
            change,
            suppressed,
            sql.SQL(" and ").join(sql.SQL("p.{0} = s.{0}").format(sql.Identifier(name)) for name in shared),
            extra,
        )
    )


def _tidy(connection: psycopg.Connection[Any], manifest: Manifest, outcome: Outcome) -> None:
    """Let the planner know of a first or a large release at once; readers are not blocked by it."""
    if outcome.inserted > 1000:
        for stored in stored_tables(manifest):
            connection.execute(sql.SQL("analyze {}").format(stored.rows))


def _list(names: tuple[str, ...] | list[str], alias: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in names)
