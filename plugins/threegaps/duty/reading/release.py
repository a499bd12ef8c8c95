"""Releases: the one that serves, the ones before, what waits for the next one, and how the last build went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.duty.reading.names import Names, area_names, breakdown_names, indicator_names
from threegaps.ledger.batches import latest_first, pending_batches
from threegaps.release.listed import LAST_BUILD, RELEASES

MOST_RELEASES = 10
_WAITING = f"""
select b.feed, f.title_zh, f.title_en, count(*) as batches, min(b.finished_at) as since,
    (array_agg(b.delivery order by {latest_first("b")}))[1] as delivery
from ops.batch as b left join ops.feed as f using (feed)
where b.batch_id = any(%s)
group by b.feed, f.title_zh, f.title_en order by since, b.feed
"""
_BEFORE = """
select r.release_id, (select max(b.release_id) from ops.release as b where b.release_id < r.release_id)
from ops.release as r where r.release_id = %s
"""
# A warehouse that was set up anew, or brought back from a copy, numbers its releases as the one before did.
_STATE = """
select c.system_identifier, d.oid::bigint, r.release_id, r.released_at
from pg_control_system() as c cross join pg_database as d
left join lateral (select * from ops.release order by release_id desc limit 1) as r on true
where d.datname = current_database()
"""
_DELIVERIES = "select batch_id, delivery from ops.batch where batch_id = any(%s)"


@dataclass(frozen=True, slots=True)
class ReleaseListed:
    """A release, with how many rows of all served relations it changed."""

    release_id: int
    kind: str
    as_of: dt.date
    released_at: dt.datetime
    cells_inserted: int
    cells_changed: int
    cells_removed: int
    undoes_release_id: int | None
    note: str | None
    is_demonstration: bool
    serves: bool


@dataclass(frozen=True, slots=True)
class Build:
    """The last build; its *status* is a code of `threegaps.labels.BUILD_STATUSES`."""

    build_id: int
    status: str
    kind: str
    as_of: dt.date
    requested_by: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Batches of a feed that wait for a build.

    Args:
        since: When the first of them was loaded.
        delivery: The latest of their deliveries.
    """

    feed: str
    title_zh: str | None
    title_en: str | None
    batches: int
    since: dt.datetime
    delivery: str


@dataclass(frozen=True, slots=True)
class ReleasesSeen:
    """All that the page of releases shows, but for what two of them say differently.

    Args:
        serving: The one that serves; None before the first.
        chosen: The one whose changes are asked for, by default the one that serves; None where there is no such one.
        before: The one before that; None where there is none.
        latest: The newest ones, the newest first.
        waiting: What waits for a build, what has waited longest first.
        build: The last one; None before the first.
        state: Which warehouse it is, and by which release it serves.
    """

    serving: ReleaseListed | None
    chosen: int | None
    before: int | None
    latest: Sequence[ReleaseListed]
    waiting: Sequence[Waiting]
    build: Build | None
    state: tuple[object, ...]
    areas: Names
    indicators: Names
    breakdowns: Names


def read_releases(connection: psycopg.Connection[Any], chosen: int | None = None) -> ReleasesSeen:
    """Releases, and what waits for the next one.

    Args:
        chosen: The release whose changes are asked for.
    """
    with connection.cursor(row_factory=class_row(ReleaseListed)) as cursor:
        latest = cursor.execute(RELEASES, {"limit": MOST_RELEASES}).fetchall()
    with connection.cursor(row_factory=class_row(Build)) as cursor:
        build = cursor.execute(LAST_BUILD).fetchone()
    pending = pending_batches(connection)
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        waiting = cursor.execute(_WAITING.encode(), [pending]).fetchall() if pending else []
    # The newest release serves: an undo is a release, too.
    serving = next((one for one in latest if one.serves), None)
    asked = chosen if chosen is not None else None if serving is None else serving.release_id
    there = None if asked is None else connection.execute(_BEFORE, [asked]).fetchone()
    return ReleasesSeen(
        serving=serving,
        chosen=there[0] if there else None,
        before=there[1] if there else None,
        latest=latest,
        waiting=waiting,
        build=build,
        state=connection.execute(_STATE).fetchone() or (),
        areas=area_names(connection),
        indicators=indicator_names(connection),
        breakdowns=breakdown_names(connection),
    )


def deliveries_of(connection: psycopg.Connection[Any], batches: Collection[int]) -> dict[int, str]:
    """Of which delivery each of some batches is."""
    if not batches:
        return {}
    found = connection.execute(_DELIVERIES, [sorted(batches)]).fetchall()
    return {int(batch_id): str(delivery) for batch_id, delivery in found}
