"""Claiming: what is pending goes to one build, in one transaction; a build that fails gives it back.

Pending is computed, never stored: loaded batches that no released build has consumed and nothing holds.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import psycopg

from threegaps.calendar import today
from threegaps.errors import BuildError, SettingsError
from threegaps.ledger.batches import pending_batches
from threegaps.ledger.coverage import Coverage, Range, changed_days, covered_days
from threegaps.ledger.migrate import check_connection
from threegaps.marts import affected
from threegaps.marts.lock import try_lock
from threegaps.marts.manifest import Manifest

Kind = Literal["affected", "full"]
_MOST_DOUBLINGS = 6
_LEFT = "('claimed', 'running', 'built')"


def claim(
    connection: psycopg.Connection[Any],
    manifest: Manifest,
    *,
    requested_by: str,
    kind: Kind = "affected",
    as_of: dt.date | None = None,
    shows_exact_cells: bool = False,
) -> int | None:
    """Claim all pending work for a new build; None when there is nothing to do.

    To be called by the holder of the builder's lock: whatever another build left unfinished is failed first, its
    claims are pending again.

    Args:
        connection: A connection in autocommit that holds the lock.
        manifest: The project as it stands now.
        requested_by: Who or what asks, for the ledger.
        kind: ``full`` rebuilds everything, and is what the first build becomes.
        as_of: The day that the build looks from: periods that begin after it are left out, and no feed counts as
            complete beyond it. By default the last day that a loaded delivery covers of any feed that an indicator
            reads (of any feed where none of those has one), so that the same deliveries give the same build whenever
            it runs.
        shows_exact_cells: Serve every cell exactly: a demonstration of synthetic figures.

    Raises:
        SettingsError: *as_of* is later than today and than any day that a loaded delivery covers.
        LedgerError: The ledger has a schema version that this code does not know.
    """
    with connection.transaction():
        check_connection(connection)
        _fail_left(connection, f"status in {_LEFT}", "It was left unfinished; its claims went to the next build.")
        batches = pending_batches(connection)
        last = _last_released(connection)
        covered = _last_covered_day(connection, manifest)
        day = as_of or covered
        if day is None:
            return None
        latest = max(today(), covered or today())
        if day > latest:
            raise SettingsError(
                f"{day} has not come yet, and no loaded delivery covers it.", advice=f"build as of {latest} or earlier."
            )
        coverage = covered_days(connection, until=day)
        actual: Kind = kind if last else "full"
        changed = _changed_nodes(connection, manifest, last[0]) if last else {}
        passed = _passed(connection, manifest, last, coverage, day) if last else None
        if not (batches or changed or passed or kind == "full"):
            return None
        build_id = _insert_build(connection, actual, day, requested_by, shows_exact_cells=shows_exact_cells)
        _record_state(connection, build_id, manifest, batches, coverage)
        _record_touches(connection, build_id, changed, passed)
        slices = (
            [affected.whole(indicator.code) for indicator in manifest.indicators]
            if actual == "full"
            else affected.affected_slices(manifest, affected.touches_of_build(connection, build_id))
        )
        affected.write_affected(connection, build_id, slices)
        return build_id


def has_unclaimed(dsn: str, *, minutes: int) -> bool:
    """Whether loaded batches that no build has in hand have waited longer than *minutes* for one.

    After builds of the same work have failed, the wait doubles with each of them, up to 64 times *minutes*: what fails
    the same way every time must not keep the machine busy. A new arrival, or ``threegaps build``, does not wait.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(
            (
                "with waiting as ("
                " select min(finished_at) as since, max(finished_at) as newest from ops.batch as b"
                " where batch_id = any(%s)"
                " and not exists (select from ops.build_input as i join ops.build as u using (build_id)"
                f" where i.batch_id = b.batch_id and u.status in {_LEFT})"
                "), failed as ("
                " select count(*) as builds, max(b.finished_at) as last from ops.build as b, waiting"
                " where b.status = 'failed' and b.started_at > waiting.newest"
                ") select greatest(waiting.since, failed.last)"
                " < clock_timestamp() - make_interval(mins => %s * (1 << least(failed.builds, %s)::integer))"
                " from waiting, failed where waiting.since is not null"
            ).encode(),
            [pending_batches(connection), minutes, _MOST_DOUBLINGS],
        ).fetchone()
        return row is not None and bool(row[0])


def fail_stale(dsn: str, *, minutes: int) -> list[int]:
    """Fail builds older than *minutes* whose process is gone; their numbers.

    A builder holds the advisory lock: while it is held, nothing is stale.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        if not try_lock(connection):
            return []
        return _fail_left(
            connection,
            f"status in {_LEFT} and started_at < clock_timestamp() - make_interval(mins => {int(minutes)})",
            "Its process is gone; its claims are free again.",
        )


def fail(
    connection: psycopg.Connection[Any], build_id: int, message: str, failure: Literal["build", "check"] = "build"
) -> None:
    """Mark a build as failed; what it had claimed is pending again.

    Args:
        failure: Whether the build itself failed, or a check before its release.
    """
    connection.execute(
        "update ops.build set status = 'failed', failure = %s, finished_at = clock_timestamp(), message = %s"
        " where build_id = %s",
        [failure, message, build_id],
    )


def _last_covered_day(connection: psycopg.Connection[Any], manifest: Manifest) -> dt.date | None:
    rows = connection.execute(
        "select feed, max(delivery_end) from ops.batch where status = 'loaded' group by feed"
    ).fetchall()
    read = [end for feed, end in rows if manifest.is_read(str(feed))]
    return max(read or [end for _, end in rows], default=None)


def _fail_left(connection: psycopg.Connection[Any], condition: str, message: str) -> list[int]:
    rows = connection.execute(
        "update ops.build set status = 'failed', failure = 'left', finished_at = clock_timestamp(), message = %s"
        f" where {condition} returning build_id".encode(),
        [message],
    ).fetchall()
    return sorted(int(row[0]) for row in rows)


def _last_released(connection: psycopg.Connection[Any]) -> tuple[int, dt.date] | None:
    row = connection.execute(
        "select build_id, as_of from ops.build where status = 'released' order by build_id desc limit 1"
    ).fetchone()
    return None if row is None else (int(row[0]), row[1])


def _changed_nodes(connection: psycopg.Connection[Any], manifest: Manifest, last_build: int) -> dict[str, str]:
    """Models and seeds that the last released build, or a build since, made otherwise.

    A build that failed or was undone may have left its slices in the warehouse.
    """
    rows = connection.execute(
        "select node, array_agg(distinct checksum), count(*) = (select count(*) from ops.build where build_id >= %s)"
        " from ops.build_node where build_id >= %s group by node",
        [last_build, last_build],
    ).fetchall()
    before = {str(node): checksums for node, checksums, is_in_all in rows if is_in_all}
    return {name: kind for name, (kind, checksum) in manifest.checksums.items() if before.get(name) != [checksum]}


def _passed(
    connection: psycopg.Connection[Any],
    manifest: Manifest,
    last: tuple[int, dt.date],
    coverage: Coverage,
    day: dt.date,
) -> tuple[dt.date, dt.date] | None:
    """The days by which the build's date, or what a feed that is read covers, differs from the last release's.

    Builds since then that failed or were undone count too: they may have left slices as of another day.
    """
    builds = connection.execute("select build_id, as_of from ops.build where build_id >= %s", [last[0]]).fetchall()
    before: dict[tuple[int, str], list[Range]] = {}
    for build_id, feed, first, final in connection.execute(
        "select build_id, feed, covered_from, covered_to from ops.build_coverage where build_id >= %s"
        " order by build_id, feed, covered_from",
        [last[0]],
    ):
        before.setdefault((int(build_id), str(feed)), []).append(Range(first, final))
    feeds = sorted(feed for feed in {*coverage, *(feed for _, feed in before)} if manifest.is_read(feed))
    moved = [
        changed
        for build_id, _ in builds
        for feed in feeds
        if (changed := changed_days(tuple(before.get((int(build_id), feed), ())), coverage.get(feed, ())))
    ]
    moved += [Range(min(as_of, day), max(as_of, day)) for _, as_of in builds if as_of != day]
    return (min(piece.first for piece in moved), max(piece.last for piece in moved)) if moved else None


def _insert_build(
    connection: psycopg.Connection[Any], kind: Kind, as_of: dt.date, requested_by: str, *, shows_exact_cells: bool
) -> int:
    row = connection.execute(
        "insert into ops.build (status, kind, as_of, requested_by, shows_exact_cells)"
        " values ('claimed', %s, %s, %s, %s) returning build_id",
        [kind, as_of, requested_by, shows_exact_cells],
    ).fetchone()
    if row is None:
        raise BuildError("The ledger gave the build no number.")
    return int(row[0])


def _record_state(
    connection: psycopg.Connection[Any],
    build_id: int,
    manifest: Manifest,
    batches: list[int],
    coverage: Coverage,
) -> None:
    connection.execute("insert into ops.build_input select %s, unnest(%s::bigint[])", [build_id, batches])
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.build_node (build_id, node, kind, checksum) values (%s, %s, %s, %s)",
            [(build_id, name, kind, checksum) for name, (kind, checksum) in manifest.checksums.items()],
        )
        cursor.executemany(
            "insert into ops.build_coverage (build_id, feed, covered_from, covered_to) values (%s, %s, %s, %s)",
            [(build_id, feed, *piece) for feed, ranges in coverage.items() for piece in ranges],
        )


def _record_touches(
    connection: psycopg.Connection[Any],
    build_id: int,
    changed: dict[str, str],
    passed: tuple[dt.date, dt.date] | None,
) -> None:
    connection.execute(
        "insert into ops.build_touch select %s, t.touch_id from ops.touch as t"
        " join ops.build_input as i on i.batch_id = t.batch_id and i.build_id = %s",
        [build_id, build_id],
    )
    made: list[tuple[str, str | None, str, str]] = [
        (kind, name, "-infinity", "infinity") for name, kind in sorted(changed.items())
    ]
    if passed:
        made.append(("as_of", None, passed[0].isoformat(), passed[1].isoformat()))
    for cause, model, first, last in made:
        connection.execute(
            "with touch as (insert into ops.touch (cause, model, county_code, period_from, period_to)"
            " values (%s, %s, '*', %s::date, %s::date) returning touch_id)"
            " insert into ops.build_touch select %s, touch_id from touch",
            [cause, model, first, last, build_id],
        )
