"""Load one batch: judge, copy, merge, and make all of it visible in one commit."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

import psycopg
from psycopg import errors, sql

from threegaps.batch.verdict import JudgedBlock, Verdict
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import QUARANTINE_COLUMNS, accepted_columns, raw_key
from threegaps.errors import FeedError, LedgerError
from threegaps.ledger import batches
from threegaps.ledger.batches import Judged, Merged
from threegaps.ledger.landed import REPLAY_PREFIX
from threegaps.ledger.touches import OPEN_END, Place, record_batch_touches
from threegaps.ledger.watermarks import advance_watermark
from threegaps.warehouse.merge import ROWS, Absence, Merge
from threegaps.warehouse.prefetch import prefetched
from threegaps.warehouse.quarantine import close_repaired, keep_closed
from threegaps.warehouse.tables import ensure_partitions, ensure_tables, names, usual_months

logger = logging.getLogger(__name__)

WRONG_PERIOD = "delivery_period"
"""The rule that stops a full delivery none of whose rows speaks of its own period."""

# Small, so that memory does not follow the number of refused rows; the disk takes the rest.
_SPOOL_BYTES = 4 << 20
_LOCK_SPACE = 7237


class Judgement(Protocol):
    """What a load needs of a judgement; `threegaps.batch.judge` has the one that feeds use."""

    def blocks(self) -> Iterator[JudgedBlock]: ...

    def finish(self) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """One batch to load.

    Args:
        judge: Starts the judgement; called again when a first attempt has to be repeated.
        is_whole: The batch has every original part of its delivery.
        is_complete: Whether the delivery is complete, given how many rows its original parts had in this batch.
        is_latest: Its objects are what the delivery holds now: no later batch has been the whole of it.
        newest_object_id: The newest of its landed objects, its control file among them: the place of what it closes.
        has_later_list: A later delivery of this full list has been loaded already.
        repairs: Tokens of the refused rows that this batch mends.
    """

    contract: Contract
    delivery: Delivery
    batch_id: int
    judge: Callable[[], Judgement]
    is_whole: bool
    is_complete: Callable[[int], bool]
    newest_object_id: int
    is_latest: bool = False
    has_later_list: bool = False
    repairs: tuple[str, ...] = ()
    supersedes_batch_id: int | None = None
    watermark_from: str | None = None
    watermark_to: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did."""

    verdict: Verdict
    merged: Merged
    touches: int
    is_complete: bool


class BatchStoppedError(FeedError):
    """A rule stopped the batch: nothing of it is published, its counts and refused rows are kept."""


class _Stopped(Exception):  # noqa: N818  # leaves the transaction, never this module
    def __init__(self, verdict: Verdict, rule: str, message_en: str, message_zh: str) -> None:
        super().__init__(message_en)
        self.verdict, self.rule, self.message_en, self.message_zh = verdict, rule, message_en, message_zh


@contextmanager
def feed_lock(connection: psycopg.Connection[Any], feed: str, *, step: str) -> Iterator[None]:
    """Hold the feed's advisory lock for a step: neither partition keys nor Airflow's limits put runs in a row."""
    name = f"{step} {feed}"
    connection.execute("select pg_advisory_lock(%s, hashtext(%s))", [_LOCK_SPACE, name])
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("select pg_advisory_unlock(%s, hashtext(%s))", [_LOCK_SPACE, name])


def load_batch(connection: psycopg.Connection[Any], plan: Plan) -> Loaded:
    """Judge and load one batch; *connection* is in autocommit and holds the feed's load lock.

    Raises:
        BatchStoppedError: A rule stopped it.
        FeedError: It could not be decoded.
        CertificationError: Great Expectations and the column rules disagree.
        LedgerError: The warehouse refused the rows, said without their values.
        psycopg.OperationalError: The warehouse went away; a rerun starts from what it had before.
    """
    with connection.transaction():
        ensure_tables(connection, plan.contract)
    if plan.contract.partition_column is not None:
        # Before the load: a new partition locks its table, and readers must not wait for a whole load.
        with connection.transaction():
            ensure_partitions(connection, plan.contract, usual_months(plan.delivery))
    try:
        if _is_first_of_its_keys(connection, plan):
            try:
                return _attempt(connection, plan, is_straight=True)
            except (errors.UniqueViolation, errors.CheckViolation) as error:
                # The ledger knew of nothing earlier, but some rows speak of other periods than their delivery's.
                logger.info(
                    "%s: the delivery has %s: it is merged with what is there.",
                    plan.contract.feed,
                    "keys that an earlier one had"
                    if isinstance(error, errors.UniqueViolation)
                    else "rows of other periods",
                )
        return _attempt(connection, plan, is_straight=False)
    except _Stopped as stop:
        raise BatchStoppedError(
            f"Batch {plan.batch_id} of {plan.delivery} was stopped by rule {stop.rule}: {stop.message_en}",
            feed=plan.contract.feed,
            advice=f"see `threegaps batches` and `threegaps quarantine show --batch {plan.batch_id}`;"
            " ask the department for a new delivery, or mend the contract.",
        ) from None
    except Exception as error:
        is_refused = isinstance(error, psycopg.DatabaseError) and not isinstance(error, psycopg.OperationalError)
        told = _refused(error, plan) if isinstance(error, psycopg.Error) and is_refused else error
        if not connection.broken and not connection.closed:
            batches.fail_batch(connection, plan.batch_id, str(told) if isinstance(told, FeedError) else _first(told))
        if told is not error:
            # The server's own words quote the row, which may be personal: they do not follow into logs.
            raise told from None
        raise


def _attempt(connection: psycopg.Connection[Any], plan: Plan, *, is_straight: bool) -> Loaded:
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as refused:
        try:
            with connection.transaction():
                return _load(connection, plan, cast(IO[bytes], refused), is_straight=is_straight)
        except _Stopped as stop:
            with connection.transaction():
                _copy_refused(connection, cast(IO[bytes], refused))
                judged = _judged(stop.verdict, stop.message_en, stop.message_zh)
                batches.stop_batch(connection, plan.batch_id, rule=stop.rule, judged=judged)
                batches.record_checks(connection, plan.batch_id, _checks(stop.verdict))
            raise


def _load(connection: psycopg.Connection[Any], plan: Plan, refused: IO[bytes], *, is_straight: bool) -> Loaded:
    contract = plan.contract
    merge = Merge(connection, contract, plan.batch_id)
    target = sql.Identifier("raw", contract.table) if is_straight else ROWS
    if not is_straight:
        merge.create_table()
    if plan.supersedes_batch_id is not None:
        merge.retract(plan.supersedes_batch_id)
    verdict = _copy_accepted(connection, plan, target, refused)
    _stop_if_told(plan, verdict)
    if not is_straight:
        _stop_if_misplaced(connection, plan, verdict)
    is_complete = plan.is_complete(verdict.received_of_originals)
    if is_straight:
        merged, places = _counted(connection, plan, verdict), set(verdict.touched)
    else:
        merged = merge.run(
            is_older_list=plan.has_later_list,
            absence=_absence(plan) if plan.is_whole and is_complete else None,
            is_latest=plan.is_latest,
        )
        places = merge.places
    if plan.is_whole:
        _close_earlier_refusals(connection, plan)
    if plan.repairs:
        close_repaired(connection, contract.feed, list(plan.repairs), plan.batch_id)
    _copy_refused(connection, refused)
    if plan.supersedes_batch_id is not None:
        keep_closed(connection, plan.supersedes_batch_id, plan.batch_id)
    touches = record_batch_touches(connection, plan.batch_id, contract.feed, places)
    batches.record_checks(connection, plan.batch_id, _checks(verdict))
    if plan.watermark_to is not None:
        advance_watermark(connection, contract.feed, plan.watermark_to, plan.batch_id)
    batches.finish_batch(
        connection,
        plan.batch_id,
        judged=_judged(verdict, verdict.message_en or "", verdict.message_zh or ""),
        merged=merged,
        is_complete=is_complete,
        watermark_from=plan.watermark_from,
        watermark_to=plan.watermark_to,
    )
    return Loaded(verdict, merged, touches, is_complete)


def _copy_accepted(
    connection: psycopg.Connection[Any], plan: Plan, target: sql.Identifier, refused: IO[bytes]
) -> Verdict:
    judgement = plan.judge()
    command = sql.SQL("copy {} ({}) from stdin (format csv)").format(target, names(accepted_columns(plan.contract)))
    with closing(cast(Any, prefetched(judgement.blocks()))) as blocks, connection.cursor() as cursor:
        for block in blocks:
            if block.removed:
                _remove(connection, plan, target, block)
            if block.accepted:
                with cursor.copy(command) as copy:
                    copy.write(block.accepted)
            refused.write(block.refused)
    return judgement.finish()


def _remove(connection: psycopg.Connection[Any], plan: Plan, target: sql.Identifier, block: JudgedBlock) -> None:
    """Take away rows of this batch that do not stay after all."""
    removed, columns = sql.Identifier("load_removed"), names(accepted_columns(plan.contract))
    connection.execute(
        sql.SQL("create temporary table {} (like {} including defaults) on commit drop").format(removed, target)
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin (format csv)").format(removed, columns)) as copy,
    ):
        copy.write(block.removed)
    connection.execute(sql.SQL("analyze {}").format(removed))
    same_key = sql.SQL(" and ").join(
        sql.SQL("t.{0} = r.{0}").format(sql.Identifier(column)) for column in raw_key(plan.contract)
    )
    gone = connection.execute(
        sql.SQL("delete from {} as t using {} as r where {} and t._batch_id = {}").format(
            target, removed, same_key, sql.Literal(plan.batch_id)
        )
    ).rowcount
    connection.execute(sql.SQL("drop table {}").format(removed))
    if gone != block.removed_rows:
        raise LedgerError(
            f"{block.removed_rows} rows of batch {plan.batch_id} do not stay, and {gone} of them were found.",
            feed=plan.contract.feed,
            advice="this is a fault of the pipeline, not of the data: report it with the batch's number.",
        )


def _copy_refused(connection: psycopg.Connection[Any], refused: IO[bytes]) -> None:
    refused.seek(0)
    command = sql.SQL("copy quarantine.refused_row ({}) from stdin (format csv)").format(names(QUARANTINE_COLUMNS))
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        while chunk := refused.read(1 << 20):
            copy.write(chunk)


def _stop_if_told(plan: Plan, verdict: Verdict) -> None:
    if verdict.stopped_by is not None:
        raise _Stopped(verdict, verdict.stopped_by, verdict.message_en or "", verdict.message_zh or "")
    if plan.contract.delivery_kind == "full_period" and plan.is_whole and verdict.counts.accepted:
        first, last = plan.delivery.start, plan.delivery.end
        if not any(_ends_within(place, first, last) for place in verdict.touched):
            raise _Stopped(
                verdict,
                WRONG_PERIOD,
                f"no row speaks of {plan.delivery}: this looks like the file of another period.",
                f"没有一行数据属于{plan.delivery}:疑为其他时期的文件。",
            )


def _stop_if_misplaced(connection: psycopg.Connection[Any], plan: Plan, verdict: Verdict) -> None:
    """Stop where one part of a delivery speaks of other periods only.

    Merged, its rows would pass for this delivery's, and be closed with the next one that no longer has them. A part
    that goes straight to its place meets no rows of another delivery.
    """
    contract, first, last = plan.contract, plan.delivery.start, plan.delivery.end
    if contract.delivery_kind != "full_period" or contract.partition_column is None or not plan.is_whole:
        return
    row = connection.execute(
        sql.SQL(
            "select l.source_name from {} as b join ops.landed_object as l on l.landed_object_id = b._landed_object_id"
            " where not l.is_correction group by l.source_name"
            " having count(*) filter (where b.{} between {} and {}) = 0 order by 1 limit 1"
        ).format(ROWS, sql.Identifier(contract.partition_column), sql.Literal(first), sql.Literal(last))
    ).fetchone()
    if row is not None:
        raise _Stopped(
            verdict,
            WRONG_PERIOD,
            f"no row of {row[0]} speaks of {plan.delivery}: this looks like a part of another period.",
            f"{row[0]}中没有一行数据属于{plan.delivery}:疑为其他时期的文件。",
        )


def _ends_within(place: Place, first: Any, last: Any) -> bool:
    return place[2] != OPEN_END and place[2] >= first and place[2].replace(day=1) <= last


def _is_first_of_its_keys(connection: psycopg.Connection[Any], plan: Plan) -> bool:
    """Whether the ledger knows of nothing earlier for the batch's keys, so that rows can go straight to their place."""
    if plan.supersedes_batch_id is not None:
        return False
    contract = plan.contract
    any_loaded = connection.execute(
        "select 1 from ops.batch where feed = %s and status in ('loaded', 'superseded') limit 1", [contract.feed]
    ).fetchone()
    if any_loaded is None:
        return True
    if contract.partition_column is None or not plan.is_whole:
        return False
    touched = connection.execute(
        "select 1 from ops.touch as t join ops.batch as b using (batch_id)"
        " where b.feed = %s and t.period_from <= %s and t.period_to >= %s limit 1",
        [contract.feed, plan.delivery.end, plan.delivery.start],
    ).fetchone()
    return touched is None


def _counted(connection: psycopg.Connection[Any], plan: Plan, verdict: Verdict) -> Merged:
    withdrawn = 0
    if plan.contract.withdrawal is not None:
        row = connection.execute(
            sql.SQL("select count(*) from {} where _withdrawn and _batch_id = {}{}").format(
                sql.Identifier("raw", plan.contract.table), sql.Literal(plan.batch_id), _own_partitions(plan, verdict)
            )
        ).fetchone()
        withdrawn = int(row[0]) if row else 0
    return Merged(inserted=verdict.counts.accepted - withdrawn, changed=0, unchanged=0, withdrawn=withdrawn)


def _own_partitions(plan: Plan, verdict: Verdict) -> sql.Composable:
    """Keeps a count out of the partitions that the batch does not speak of."""
    if plan.contract.partition_column is None or not verdict.touched:
        return sql.SQL("")
    return sql.SQL(" and {} between {} and {}").format(
        sql.Identifier(plan.contract.partition_column),
        sql.Literal(min(first for _, first, _ in verdict.touched).isoformat()),
        sql.Literal(max(last for _, _, last in verdict.touched).isoformat()),
    )


def _absence(plan: Plan) -> Absence | None:
    if plan.contract.delivery_kind == "full_list":
        return Absence(None, plan.delivery.version, plan.newest_object_id)
    if plan.contract.delivery_kind == "full_period":
        return Absence(plan.delivery.key, 0, plan.newest_object_id)
    return None


def _close_earlier_refusals(connection: psycopg.Connection[Any], plan: Plan) -> None:
    connection.execute(
        "update quarantine.refused_row as refused set closed_by_batch_id = %s from ops.landed_object as landed"
        " where refused.landed_object_id = landed.landed_object_id"
        " and (not landed.is_correction or starts_with(landed.part, %s))"
        " and refused.feed = %s and refused.delivery = %s and refused.batch_id <> %s"
        " and refused.closed_by_batch_id is null",
        [plan.batch_id, REPLAY_PREFIX, plan.contract.feed, plan.delivery.key, plan.batch_id],
    )


def _judged(verdict: Verdict, message_en: str, message_zh: str) -> Judged:
    counts = verdict.counts
    return Judged(
        physical_lines=counts.physical_lines,
        structural=counts.structural,
        received=counts.received,
        accepted=counts.accepted,
        refused=counts.refused,
        duplicates=counts.duplicates,
        structural_reasons=verdict.structural_reasons,
        normalisations=verdict.normalisations,
        message_en=message_en,
        message_zh=message_zh,
    )


def _checks(verdict: Verdict) -> Iterable[tuple[Any, ...]]:
    for check in verdict.checks:
        yield (
            check.rule,
            check.expectation,
            check.column,
            check.action,
            check.evaluated,
            check.unexpected,
            check.outcome,
            check.is_certified,
        )


def _refused(error: psycopg.Error, plan: Plan) -> LedgerError:
    """What the server has against the rows, without the values that its own message quotes."""
    place = re.search(r"COPY (\w+), line (\d+)(?:, column (\w+))?", error.diag.context or "")
    where = f" at line {place[2]} of what was copied to {place[1]}" if place else ""
    return LedgerError(
        f"The warehouse refused the rows of batch {plan.batch_id} of {plan.delivery}{where}:"
        f" {type(error).__name__} ({error.sqlstate}).",
        feed=plan.contract.feed,
        column=place[3] if place else error.diag.column_name,
        advice="no rule of the contract says what the server asks for: add one that refuses such rows, then run again.",
    )


def _first(error: BaseException) -> str:
    """The first line of an error: details below it may quote values."""
    return str(error).strip().split("\n")[0] or type(error).__name__
