"""Undo: a new release that says what was said before, and holds back what came with the undone one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from threegaps.errors import ReleaseError
from threegaps.marts import dbt_runner
from threegaps.marts.lock import held_by_builder
from threegaps.marts.manifest import Manifest
from threegaps.release import apply
from threegaps.settings import Settings


def undo(
    dsn: str,
    *,
    note: str,
    batches: Iterable[int] | None = None,
    models: Iterable[str] | None = None,
    manifest: Manifest | None = None,
) -> int:
    """Undo the newest build that still serves; the number of the new release.

    Several in a row go further back. The undone build counts as failed: what it had consumed is pending again, except
    what is held.

    Args:
        dsn: The warehouse.
        note: Why; it stays with the release.
        batches: Batches of the undone build to hold back until they are freed; by default all of them.
        models: Models and seeds to hold back; by default those that had changed with the undone build.
        manifest: The parsed dbt project; by default it is parsed now.

    Raises:
        ReleaseError: There is nothing before, or a batch is named that the release did not bring.
    """
    manifest = manifest or dbt_runner.parse_project(Settings.load())
    with held_by_builder(dsn) as connection, connection.transaction():
        release_id, build_id = _undoable(connection)
        row = connection.execute(
            "select max(release_id) from ops.release where release_id < %s", [release_id]
        ).fetchone()
        if row is None or row[0] is None:
            raise ReleaseError(f"Release {release_id} is the first: there is nothing before it.")
        held_batches = _named(connection, "batch_id", "ops.build_input", build_id, batches)
        held_models = _changed_models(connection, build_id) if models is None else list(models)
        outcome = apply.apply_past(connection, manifest, undoes=release_id, past=int(row[0]), note=note)
        connection.execute(
            "insert into ops.hold (batch_id, held_by_release_id) select unnest(%s::bigint[]), %s",
            [held_batches, outcome.release_id],
        )
        connection.execute(
            "insert into ops.hold (model, held_by_release_id) select unnest(%s::text[]), %s",
            [held_models, outcome.release_id],
        )
        connection.execute(
            "update ops.build set status = 'failed', failure = 'undo', message = %s where build_id = %s",
            [f"undone by release {outcome.release_id}: {note}", build_id],
        )
    return outcome.release_id


def _undoable(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    row = connection.execute(
        "select r.release_id, r.build_id from ops.release as r where r.kind = 'build'"
        " and not exists (select from ops.release as u where u.undoes_release_id = r.release_id)"
        " order by r.release_id desc limit 1"
    ).fetchone()
    if row is None:
        raise ReleaseError("There is no release to undo.")
    return int(row[0]), int(row[1])


def _named(
    connection: psycopg.Connection[Any], column: str, table: str, build_id: int, named: Iterable[int] | None
) -> list[int]:
    rows = connection.execute(f"select {column} from {table} where build_id = %s".encode(), [build_id]).fetchall()
    brought = {int(row[0]) for row in rows}
    if named is None:
        return sorted(brought)
    chosen = set(named)
    if not chosen <= brought:
        raise ReleaseError(
            f"The undone release did not bring the batches {sorted(chosen - brought)}.",
            advice=f"it brought {sorted(brought)}.",
        )
    return sorted(chosen)


def _changed_models(connection: psycopg.Connection[Any], build_id: int) -> list[str]:
    rows = connection.execute(
        "select distinct t.model from ops.build_touch join ops.touch as t using (touch_id)"
        " where build_id = %s and t.model is not null order by 1",
        [build_id],
    ).fetchall()
    return [str(row[0]) for row in rows]
