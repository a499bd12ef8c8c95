"""Batches: one judgement each of landed objects under a contract, a code version and a key version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from threegaps.calendar import Delivery
from threegaps.errors import LedgerError

BATCH_STATUSES = ("judging", "loaded", "stopped", "failed", "superseded")
"""What ``ops.batch.status`` may say."""

SHRUNK = "delivery_shrunk"
"""The rule that stops a whole delivery that would close most of what the warehouse has of it; it may be meant."""
SHRINKING_BELOW = 0.8
"""A feed shrinks when its last delivery has less than this share of the one before."""
SHRINKING_FROM_ROWS = 20
"""In a list shorter than this a row more or less says nothing."""
LIST_SHRINKING_BELOW = 0.9
"""Likewise of a list, which is whole whenever it comes: what it lacks is taken away, and few entries end at once."""
GONE_SHARE = 0.02
"""Rows are gone when a delivery that is sent again lacks this share of what it had: who sends again mends cells and
adds rows, and takes back single ones."""
GONE_FROM_ROWS = 5
"""Fewer rows that are gone, of a delivery or a list, say nothing: single rows are taken back on purpose."""


def latest_first(batch: str) -> str:
    """How rows *batch* of ``ops.batch`` are ordered, in SQL, so that the last delivery in time comes first.

    Never by the text of the key: a feed whose cadence changed has keys of two kinds.
    """
    return ", ".join(f"{batch}.{column} desc" for column in ("delivery_end", "delivery_start"))


SUMS_OF_BATCHES = f"""
select b.feed, count(*) filter (where b.status = 'loaded') as batches,
       (array_agg(b.delivery order by {latest_first("b")}) filter (where b.status = 'loaded'))[1] as last_delivery,
       coalesce(sum(b.received) filter (where b.status = 'loaded'), 0)::bigint as received,
       coalesce(sum(b.accepted) filter (where b.status = 'loaded'), 0)::bigint as accepted,
       coalesce(sum(b.refused) filter (where b.status = 'loaded'), 0)::bigint as refused,
       coalesce(sum(b.duplicates) filter (where b.status = 'loaded'), 0)::bigint as duplicates,
       count(*) filter (where b.status = 'stopped') as stopped,
       max(b.finished_at) as last_batch_at
from ops.batch b
where b.status <> 'superseded'
group by b.feed order by b.feed
"""
"""Batches of each feed, and the sums of their counts over those that are loaded.

A delivery that was sent again counts each time, corrections and repairs count too; a judgement that another superseded
does not. ``ops.feed_totals`` and the view ``feed_health`` count each delivery once, as it was judged last.
"""


_IS_LATEST_JUDGEMENT = """
(batch.status = 'loaded' and exists (
    select from ops.batch_object as judged
    inner join ops.landed_object as landed using (landed_object_id)
    where judged.batch_id = batch.batch_id and not landed.is_correction and not exists (
        select from ops.batch as later
        inner join ops.batch_object as judged_later on later.batch_id = judged_later.batch_id
        inner join ops.landed_object as landed_later on judged_later.landed_object_id = landed_later.landed_object_id
        where later.feed = batch.feed and later.delivery = batch.delivery and later.status = 'loaded'
            and (later.order_number, later.batch_id) > (batch.order_number, batch.batch_id)
            and (later.is_whole or landed_later.part = landed.part) and not landed_later.is_correction
    )
))
"""
"""Whether a delivery's counts rest on the row *batch* of ``ops.batch``, in SQL: kept in ``is_latest_judgement``."""


_TOTALS = """
update ops.feed_totals as t
set batches_loaded = c.loaded, batches_stopped = c.stopped, batches_failed = c.failed,
    last_loaded_at = c.last_loaded_at, received = c.received, accepted = c.accepted, refused = c.refused,
    duplicates = c.duplicates,
    refused_open = (
        select count(*) from quarantine.refused_row as r where r.feed = %(feed)s and r.closed_by_batch_id is null
    ),
    complete_to = (select min(k.covered_to) from ops.feed_coverage as k where k.feed = %(feed)s)
from (
    select count(*) filter (where b.status = 'loaded') as loaded,
        count(*) filter (where b.status = 'stopped') as stopped,
        count(*) filter (where b.status = 'failed') as failed,
        max(b.finished_at) filter (where b.status = 'loaded') as last_loaded_at,
        sum(b.received) filter (where b.is_latest_judgement) as received,
        sum(b.accepted) filter (where b.is_latest_judgement) as accepted,
        sum(b.refused) filter (where b.is_latest_judgement) as refused,
        sum(b.duplicates) filter (where b.is_latest_judgement) as duplicates
    from ops.batch as b where b.feed = %(feed)s
) as c
where t.feed = %(feed)s
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """One row of ``ops.batch``, as far as others decide by it."""

    batch_id: int
    feed: str
    delivery: str
    status: str
    contract_hash: str
    code_version: str
    pseudonym_key_version: str
    order_number: int | None
    supersedes_batch_id: int | None
    is_whole: bool
    is_complete: bool
    physical_lines: int | None
    structural: int | None
    received: int | None
    accepted: int | None
    refused: int | None
    duplicates: int | None
    inserted: int | None
    changed: int | None
    unchanged: int | None
    withdrawn: int | None
    closed_by_absence: int | None
    stop_rule: str | None
    message_en: str | None
    message_zh: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None


_COLUMNS = ", ".join(Batch.__slots__)


def has_originals(batch: str) -> str:
    """The condition that the row *batch* of ``ops.batch`` has original parts: corrections and repairs are none."""
    return (
        "exists (select 1 from ops.batch_object as o join ops.landed_object as l using (landed_object_id)"
        f" where o.batch_id = {batch}.batch_id and not l.is_correction)"
    )


IS_OVERTAKEN = f"""exists (
    select from ops.batch as later
    where later.feed = b.feed and later.batch_id > b.batch_id and later.status <> 'judging' and case
        when {{kind}} <> 'full_period' then {has_originals("later")}
        else later.delivery = b.delivery and exists (
            select from ops.batch_object as o join ops.landed_object as l using (landed_object_id)
            join ops.landed_object as m on m.feed = l.feed and m.delivery = l.delivery and m.part = l.part
            join ops.batch_object as p on p.landed_object_id = m.landed_object_id
            where o.batch_id = b.batch_id and p.batch_id = later.batch_id)
        end
)"""
"""Whether a later batch has brought what the row *b* of ``ops.batch`` did not, in SQL, by its feed's delivery *kind*.

A list, or a window of changes, says again what an earlier one would have said. A part of a month stands by itself.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """Counts and findings of a judgement, as the ledger keeps them.

    ``structural_lines`` are positions of lines that are no rows: (landed object, sheet, line, reason).
    """

    physical_lines: int
    structural: int
    received: int
    accepted: int
    refused: int
    duplicates: int
    structural_reasons: Mapping[str, int]
    normalisations: Mapping[str, int]
    message_en: str
    message_zh: str
    structural_lines: Sequence[tuple[int, int | None, int, str]] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """What the accepted rows of a batch did to the raw table."""

    inserted: int
    changed: int
    unchanged: int
    withdrawn: int
    closed_by_absence: int = 0


def counts(connection: psycopg.Connection[Any], batch_ids: Sequence[int]) -> dict[str, int]:
    """Rows received, accepted, refused and duplicate in these batches together."""
    row = connection.execute(
        "select coalesce(sum(received), 0)::bigint, coalesce(sum(accepted), 0)::bigint,"
        " coalesce(sum(refused), 0)::bigint, coalesce(sum(duplicates), 0)::bigint from ops.batch"
        " where batch_id = any(%s)",
        [list(batch_ids)],
    ).fetchone()
    return dict(zip(("received", "accepted", "refused", "duplicates"), row or (0, 0, 0, 0), strict=True))


def begin_batch(
    connection: psycopg.Connection[Any],
    *,
    feed: str,
    delivery: Delivery,
    landed_object_ids: Iterable[int],
    is_whole: bool,
    contract_hash: str,
    code_version: str,
    pseudonym_key_version: str,
    contract_version: str | None = None,
    source_columns: Iterable[str] = (),
    supersedes: Batch | None = None,
) -> int:
    """Enter a batch that is about to be judged; its number.

    Args:
        is_whole: It has every original part of its delivery.
        source_columns: The columns that its files must have to be read at all, by canonical name, under
            *contract_version*: what the batch after it compares with.
    """
    columns = Jsonb({"contract_version": contract_version, "columns": list(source_columns)})
    row = connection.execute(
        "insert into ops.batch (feed, delivery, delivery_start, delivery_end, is_whole, status, contract_hash,"
        " code_version, pseudonym_key_version, source_columns, supersedes_batch_id)"
        " values (%s, %s, %s, %s, %s, 'judging', %s, %s, %s, %s, %s) returning batch_id",
        [
            feed,
            delivery.key,
            delivery.start,
            delivery.end,
            is_whole,
            contract_hash,
            code_version,
            pseudonym_key_version,
            columns,
            supersedes and supersedes.batch_id,
        ],
    ).fetchone()
    if row is None:
        raise LedgerError("The ledger gave the batch no number.", feed=feed)
    batch_id = int(row[0])
    number = batch_id if supersedes is None else supersedes.order_number or supersedes.batch_id
    connection.execute(
        "insert into ops.batch_object (batch_id, landed_object_id) select %s, unnest(%s::bigint[])",
        [batch_id, list(landed_object_ids)],
    )
    connection.execute(
        "update ops.batch as b set order_number = %s, newest_object_id = (select max(landed_object_id)"
        " from ops.batch_object as o join ops.landed_object as l using (landed_object_id)"
        " where o.batch_id = b.batch_id and (not b.is_whole or not l.is_correction)) where b.batch_id = %s",
        [number, batch_id],
    )
    connection.execute("insert into ops.feed_totals (feed) values (%s) on conflict do nothing", [feed])
    return batch_id


def abandon_judging(connection: psycopg.Connection[Any], feed: str) -> list[int]:
    """Mark batches that an aborted run left in judgement as failed; their numbers.

    To be called under the feed's load lock: whoever judged them is gone.
    """
    with connection.transaction():
        rows = connection.execute(
            "update ops.batch set status = 'failed', finished_at = clock_timestamp(),"
            " message_en = 'The run ended before the batch was committed; nothing of it was kept.',"
            " message_zh = '运行在提交前中断,本批次未保留任何数据。'"
            " where feed = %s and status = 'judging' returning batch_id",
            [feed],
        ).fetchall()
        if rows:
            _count_totals(connection, feed)
    return [int(row[0]) for row in rows]


def fail_batch(connection: psycopg.Connection[Any], batch_id: int, *, message_en: str, message_zh: str) -> None:
    """Mark a batch as failed by an error, unless it was committed before the error came."""
    # At once: one that is marked and not counted is no longer left to `abandon_judging`.
    with connection.transaction():
        connection.execute(
            "update ops.batch set status = 'failed', finished_at = clock_timestamp(), message_en = %s, message_zh = %s"
            " where batch_id = %s and status = 'judging'",
            [message_en, message_zh, batch_id],
        )
        recount(connection, batch_id)


def stop_batch(connection: psycopg.Connection[Any], batch_id: int, *, rule: str, judged: Judged) -> None:
    """Mark a batch as stopped by a rule; its counts stay."""
    _enter_counts(connection, batch_id, judged)
    connection.execute(
        "update ops.batch set status = 'stopped', stop_rule = %s, finished_at = clock_timestamp() where batch_id = %s",
        [rule, batch_id],
    )
    recount(connection, batch_id)


def finish_batch(
    connection: psycopg.Connection[Any],
    batch_id: int,
    *,
    judged: Judged,
    merged: Merged,
    is_complete: bool,
    watermark_from: str | None,
    watermark_to: str | None,
) -> None:
    """Mark a batch as loaded, with its counts; the batch that it supersedes no longer counts."""
    _enter_counts(connection, batch_id, judged)
    connection.execute(
        "update ops.batch set status = 'loaded', inserted = %s, changed = %s, unchanged = %s, withdrawn = %s,"
        " closed_by_absence = %s, is_complete = %s, watermark_from = %s, watermark_to = %s,"
        " finished_at = clock_timestamp() where batch_id = %s",
        [
            merged.inserted,
            merged.changed,
            merged.unchanged,
            merged.withdrawn,
            merged.closed_by_absence,
            is_complete,
            watermark_from,
            watermark_to,
            batch_id,
        ],
    )
    connection.execute(
        "update ops.batch set status = 'superseded'"
        " where batch_id = (select supersedes_batch_id from ops.batch where batch_id = %s)",
        [batch_id],
    )
    recount(connection, batch_id)


def recount(connection: psycopg.Connection[Any], batch_id: int) -> None:
    """Note what a batch of another status changes: which ones the counts of its delivery rest on, its feed's totals."""
    connection.execute(
        "update ops.batch as batch set is_latest_judgement = not batch.is_latest_judgement from ops.batch as own"
        " where own.batch_id = %s and batch.feed = own.feed and batch.delivery = own.delivery"
        f" and batch.is_latest_judgement <> {_IS_LATEST_JUDGEMENT}",
        [batch_id],
    )
    row = connection.execute("select feed from ops.batch where batch_id = %s", [batch_id]).fetchone()
    if row is not None:
        _count_totals(connection, row[0])


def _count_totals(connection: psycopg.Connection[Any], feed: str) -> None:
    with connection.transaction():
        # One counts at a time, each by what the others have committed.
        connection.execute("insert into ops.feed_totals (feed) values (%s) on conflict do nothing", [feed])
        connection.execute("select from ops.feed_totals where feed = %s for update", [feed])
        connection.execute(_TOTALS, {"feed": feed})


def _enter_counts(connection: psycopg.Connection[Any], batch_id: int, judged: Judged) -> None:
    connection.execute(
        "update ops.batch set physical_lines = %s, structural = %s, received = %s, accepted = %s, refused = %s,"
        " duplicates = %s, structural_reasons = %s, normalisations = %s, message_en = %s, message_zh = %s"
        " where batch_id = %s",
        [
            judged.physical_lines,
            judged.structural,
            judged.received,
            judged.accepted,
            judged.refused,
            judged.duplicates,
            Jsonb(dict(judged.structural_reasons)),
            Jsonb(dict(judged.normalisations)),
            judged.message_en,
            judged.message_zh,
            batch_id,
        ],
    )
    with (
        connection.cursor() as cursor,
        cursor.copy("copy ops.structural_line (batch_id, landed_object_id, sheet, line, reason) from stdin") as copy,
    ):
        for line in judged.structural_lines:
            copy.write_row((batch_id, *line))


def record_checks(connection: psycopg.Connection[Any], batch_id: int, checks: Iterable[tuple[Any, ...]]) -> None:
    """Enter each rule: (rule, expectation, column, action, evaluated, unexpected, outcome, is_certified)."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.check_result (batch_id, rule, expectation, column_name, action, evaluated, unexpected,"
            " outcome, is_certified) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(batch_id, *check) for check in checks],
        )


def get_batch(connection: psycopg.Connection[Any], batch_id: int) -> Batch:
    """One batch.

    Raises:
        LedgerError: There is none of that number.
    """
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        found = cursor.execute(f"select {_COLUMNS} from ops.batch where batch_id = %s", [batch_id]).fetchone()
    if found is None:
        raise LedgerError(f"There is no batch {batch_id}.", advice="see `threegaps batches`.")
    return found


def batches_of_objects(connection: psycopg.Connection[Any], landed_object_ids: list[int]) -> list[Batch]:
    """Batches that judged exactly these landed objects, newest first."""
    columns = ", ".join(f"batch.{column}" for column in Batch.__slots__)
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        cursor.execute(
            f"select {columns} from ops.batch as batch"
            " where (select array_agg(o.landed_object_id order by o.landed_object_id) from ops.batch_object as o"
            " where o.batch_id = batch.batch_id) = %s::bigint[] order by batch.batch_id desc",
            [sorted(landed_object_ids)],
        )
        return cursor.fetchall()


def loaded_object_ids(connection: psycopg.Connection[Any], feed: str, delivery: str) -> set[int]:
    """Landed objects of a delivery that stand in a loaded batch."""
    rows = connection.execute(
        "select o.landed_object_id from ops.batch_object as o join ops.batch as b using (batch_id)"
        " where b.feed = %s and b.delivery = %s and b.status = 'loaded'",
        [feed, delivery],
    ).fetchall()
    return {int(row[0]) for row in rows}


def last_whole_object_ids(connection: psycopg.Connection[Any], feed: str, delivery: str) -> set[int]:
    """The original parts, and the control file, of the last loaded batch that was the whole of a delivery."""
    rows = connection.execute(
        "select l.landed_object_id from ops.batch_object as o join ops.landed_object as l using (landed_object_id)"
        " where o.batch_id = (select b.batch_id from ops.batch as b where b.feed = %s and b.delivery = %s"
        " and b.status = 'loaded' and b.is_whole order by b.newest_object_id desc, b.order_number desc limit 1)"
        " and not l.is_correction",
        [feed, delivery],
    ).fetchall()
    return {int(row[0]) for row in rows}


def earlier_batch_ids(connection: psycopg.Connection[Any], batch_id: int) -> list[int]:
    """Batches of the same delivery, whatever became of them, that judged nothing that arrived after this one's."""
    rows = connection.execute(
        "select b.batch_id from ops.batch as own join ops.batch as b on b.feed = own.feed and b.delivery = own.delivery"
        " and b.newest_object_id <= own.newest_object_id and b.batch_id <> own.batch_id where own.batch_id = %s",
        [batch_id],
    ).fetchall()
    return [int(row[0]) for row in rows]


def unloadable_object_ids(connection: psycopg.Connection[Any], landed_object_ids: list[int]) -> set[int]:
    """Those of the landed objects that were judged, and of which no batch could be loaded."""
    rows = connection.execute(
        "select o.landed_object_id from ops.batch_object as o join ops.batch as b using (batch_id)"
        " where o.landed_object_id = any(%s) group by o.landed_object_id"
        " having bool_and(b.status in ('stopped', 'failed'))",
        [landed_object_ids],
    ).fetchall()
    return {int(row[0]) for row in rows}


def is_delivery_complete(connection: psycopg.Connection[Any], feed: str, delivery: str) -> bool:
    """Whether the last loaded batch with original parts of a delivery was complete; False before there is one."""
    row = connection.execute(
        "select b.is_complete from ops.batch as b where b.feed = %s and b.delivery = %s and b.status = 'loaded'"
        f" and {has_originals('b')} order by b.newest_object_id desc, b.order_number desc limit 1",
        [feed, delivery],
    ).fetchone()
    return bool(row and row[0])


def source_columns(connection: psycopg.Connection[Any], batch_id: int) -> tuple[str | None, tuple[str, ...] | None]:
    """The version of the contract that a batch was judged by, and the columns that its files had."""
    row = connection.execute("select source_columns from ops.batch where batch_id = %s", [batch_id]).fetchone()
    if row is None or row[0] is None:
        return None, None
    return row[0]["contract_version"], tuple(row[0]["columns"])


def previous_batch(connection: psycopg.Connection[Any], batch_id: int) -> Batch | None:
    """The last loaded batch of a delivery before that of *batch_id*, with original parts: what is compared with."""
    columns = ", ".join(f"b.{column}" for column in Batch.__slots__)
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(
            f"select {columns} from ops.batch as own join ops.batch as b on b.feed = own.feed and b.status = 'loaded'"
            " and (b.delivery_end, b.delivery_start) < (own.delivery_end, own.delivery_start)"
            f" where own.batch_id = %s and {has_originals('b')}"
            f" order by {latest_first('b')}, b.order_number desc limit 1",
            [batch_id],
        ).fetchone()


def pending_batches(connection: psycopg.Connection[Any]) -> list[int]:
    """Loaded batches that no released build has consumed and nothing holds back, in order.

    Never "numbers above the last one": the order of commits is not the order of numbers.
    """
    rows = connection.execute(
        "select b.batch_id from ops.batch as b where b.status = 'loaded'"
        " and not exists (select 1 from ops.build_input as i join ops.build as u using (build_id)"
        "  where i.batch_id = b.batch_id and u.status = 'released')"
        " and not exists (select 1 from ops.hold as h where h.batch_id = b.batch_id and h.freed_at is null)"
        " order by b.order_number, b.batch_id"
    ).fetchall()
    return [int(row[0]) for row in rows]


def shrinking_below(kind: str) -> float:
    """The share of the rows of the delivery before below which a feed shrinks whose deliveries are of *kind*."""
    return LIST_SHRINKING_BELOW if kind == "full_list" else SHRINKING_BELOW


def shrinks(rows: int | None, before: int | None, kind: str) -> bool:
    """Whether a delivery of *rows* rows is far smaller than the one *before*: a question of deliveries that compare.

    Args:
        rows: Rows received.
        before: Likewise, of the delivery before.
        kind: How they are delivered: what changes from one to the next does not shrink.
    """
    least = least_after(before, kind)
    return rows is not None and least is not None and rows < least


def least_after(before: int | None, kind: str) -> float | None:
    """The rows that a delivery has at least after one of *before* rows and does not shrink; None where it never does.

    Args:
        before: As in `shrinks`.
        kind: Likewise.
    """
    if before is None or kind == "changes" or before < SHRINKING_FROM_ROWS:
        return None
    return min(before * shrinking_below(kind), before - GONE_FROM_ROWS + 1)


def are_gone(rows: int, before: int) -> bool:
    """Whether a delivery that was sent again lacks notably many *rows* of those that it had *before*."""
    return rows >= max(GONE_FROM_ROWS, before * GONE_SHARE)
