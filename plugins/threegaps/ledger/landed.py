"""Landed objects: what departments sent, one row an arrival of a part of a delivery."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

CONTROL_PART = "control"
"""The part name of a delivery's control file: it says when the delivery is complete, and is never judged."""
OUTSIDE_PART = "outside"
"""The part name of rows that no window of update times can hold: a database's, fetched beside its windows."""
REPLAY_PREFIX = "replay-"
"""How the part names of repairs begin that a department made of refused rows."""
ACCEPTANCE_PREFIX = "accept-"
"""How the part names of decisions begin that a stopped batch is meant; they lie in landing, and are never judged."""
PURGE_PREFIX = "purge-"
"""Likewise of decisions that a landed object had to go."""
PAUSE_PREFIX = "pause-"
"""Likewise of decisions that a feed or a county reports nothing for a time; of no delivery in particular, and kept."""


@dataclass(frozen=True, slots=True)
class LandedObject:
    """One arrival of one part; see ``ops.landed_object``."""

    landed_object_id: int
    feed: str
    delivery: str
    part: str
    arrival_number: int
    source_name: str
    uri: str
    size_bytes: int
    sha256: str
    is_correction: bool
    fetched_at: dt.datetime
    source_modified_at: dt.datetime | None
    watermark_from: str | None
    watermark_to: str | None
    copies_ended_at: dt.datetime | None

    @property
    def is_outside(self) -> bool:
        """Whether these are rows that no window can hold."""
        return self.part == OUTSIDE_PART

    @property
    def is_replay(self) -> bool:
        """Whether these are repairs of refused rows, in our own form, and not a file as the department sends it."""
        return self.part.startswith(REPLAY_PREFIX)

    @property
    def is_acceptance(self) -> bool:
        """Whether this is somebody's word that a stopped batch is meant."""
        return self.part.startswith(ACCEPTANCE_PREFIX)

    @property
    def is_purge(self) -> bool:
        """Whether this is somebody's order that another landed object had to go."""
        return self.part.startswith(PURGE_PREFIX)

    @property
    def is_pause(self) -> bool:
        """Whether this is somebody's word that a feed or a county reports nothing for a time, or again."""
        return self.part.startswith(PAUSE_PREFIX)

    @property
    def is_judged(self) -> bool:
        """Whether it holds rows: a control file and a decision say something of a delivery, and have none."""
        is_decision = self.is_acceptance or self.is_purge or self.is_pause
        return self.part != CONTROL_PART and not is_decision


_COLUMNS = (
    "landed_object_id, feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256, is_correction,"
    " fetched_at, source_modified_at, watermark_from, watermark_to, copies_ended_at"
)


def next_landed_object_id(connection: psycopg.Connection[Any]) -> int:
    """A number for the next landed object, taken before its bytes are written: no two arrivals share an address."""
    row = connection.execute(
        "select nextval(pg_get_serial_sequence('ops.landed_object', 'landed_object_id'))"
    ).fetchone()
    assert row is not None  # noqa: S101  # nextval always answers
    return int(row[0])


def skip_numbers_to(connection: psycopg.Connection[Any], identifier: int) -> None:
    """Give no number up to *identifier* to a landed object to come."""
    connection.execute(
        "select setval(pg_get_serial_sequence('ops.landed_object', 'landed_object_id'), greatest(%s,"
        " nextval(pg_get_serial_sequence('ops.landed_object', 'landed_object_id'))))",
        [identifier],
    )


def record_landed_object(connection: psycopg.Connection[Any], landed: LandedObject) -> None:
    """Enter an arrival; its bytes and its manifest must lie in landing already."""
    connection.execute(
        f"insert into ops.landed_object ({_COLUMNS}) overriding system value"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            landed.landed_object_id,
            landed.feed,
            landed.delivery,
            landed.part,
            landed.arrival_number,
            landed.source_name,
            landed.uri,
            landed.size_bytes,
            landed.sha256,
            landed.is_correction,
            landed.fetched_at,
            landed.source_modified_at,
            landed.watermark_from,
            landed.watermark_to,
            landed.copies_ended_at,
        ],
    )


def latest_arrivals(connection: psycopg.Connection[Any], feed: str, delivery: str) -> dict[str, LandedObject]:
    """The latest arrival of each part of a delivery, by part name."""
    with connection.cursor(row_factory=class_row(LandedObject)) as cursor:
        cursor.execute(
            f"select distinct on (part) {_COLUMNS} from ops.landed_object"
            " where feed = %s and delivery = %s order by part, arrival_number desc",
            [feed, delivery],
        )
        return {landed.part: landed for landed in cursor.fetchall()}


def last_arrival(connection: psycopg.Connection[Any], feed: str, part: str) -> LandedObject | None:
    """The latest arrival of a part in any delivery of a feed."""
    with connection.cursor(row_factory=class_row(LandedObject)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from ops.landed_object where feed = %s and part = %s"
            " order by landed_object_id desc limit 1",
            [feed, part],
        )
        return cursor.fetchone()


def landed_deliveries(connection: psycopg.Connection[Any], feed: str) -> set[str]:
    """Deliveries of which something has arrived."""
    rows = connection.execute(
        "select distinct delivery from ops.landed_object where feed = %s and part <> %s and not starts_with(part, %s)",
        [feed, CONTROL_PART, PAUSE_PREFIX],
    ).fetchall()
    return {str(row[0]) for row in rows}


def landed_objects(connection: psycopg.Connection[Any], identifiers: list[int]) -> list[LandedObject]:
    """The landed objects with these numbers, in order."""
    with connection.cursor(row_factory=class_row(LandedObject)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from ops.landed_object where landed_object_id = any(%s) order by landed_object_id",
            [identifiers],
        )
        return cursor.fetchall()


def landed_of_batch(connection: psycopg.Connection[Any], batch_id: int) -> list[LandedObject]:
    """What a batch was made of, in order."""
    rows = connection.execute(
        "select landed_object_id from ops.batch_object where batch_id = %s", [batch_id]
    ).fetchall()
    return landed_objects(connection, [int(row[0]) for row in rows])


def arrivals_of(connection: psycopg.Connection[Any], feed: str) -> list[LandedObject]:
    """Every landed object of a feed, in order."""
    with connection.cursor(row_factory=class_row(LandedObject)) as cursor:
        cursor.execute(f"select {_COLUMNS} from ops.landed_object where feed = %s order by landed_object_id", [feed])
        return cursor.fetchall()


def ended_before(connection: psycopg.Connection[Any], feed: str, before: dt.datetime) -> list[LandedObject]:
    """Arrivals of *feed* fetched before an instant whose copies are still kept; what was decided of pauses stays."""
    with connection.cursor(row_factory=class_row(LandedObject)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from ops.landed_object"
            " where feed = %s and fetched_at < %s and copies_ended_at is null and not starts_with(part, %s)"
            " order by landed_object_id",
            [feed, before, PAUSE_PREFIX],
        )
        return cursor.fetchall()


def is_name_shared(connection: psycopg.Connection[Any], landed: LandedObject) -> bool:
    """Whether other arrivals have its source's name too, as all of an interface have, and what is sent again."""
    row = connection.execute(
        "select 1 from ops.landed_object where source_name = %s and landed_object_id <> %s limit 1",
        [landed.source_name, landed.landed_object_id],
    ).fetchone()
    return row is not None


def record_copies_ended(connection: psycopg.Connection[Any], landed_object_id: int) -> None:
    """Note that the copy of an arrival is gone; its hash and its counts stay."""
    connection.execute(
        "update ops.landed_object set copies_ended_at = clock_timestamp() where landed_object_id = %s",
        [landed_object_id],
    )


def overtaken_windows(connection: psycopg.Connection[Any], feed: str, delivery: str) -> set[int]:
    """Windows of a delivery that a later arrival of the feed spans from end to end."""
    rows = connection.execute(
        "select o.landed_object_id from ops.landed_object as o where o.feed = %s and o.delivery = %s"
        " and exists (select 1 from ops.landed_object as n where n.feed = o.feed"
        "  and n.landed_object_id > o.landed_object_id"
        "  and n.watermark_from <= o.watermark_from and n.watermark_to >= o.watermark_to)",
        [feed, delivery],
    ).fetchall()
    return {int(row[0]) for row in rows}
