"""Load one batch: judge, copy, merge, and make all of it visible in one commit."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, cast

import psycopg
from psycopg import errors, sql

from threegaps.batch.verdict import Verdict
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.workbooks import has_sheet_of_each_county
from threegaps.errors import LedgerError, ThreeGapsError, of_warehouse
from threegaps.ledger import batches
from threegaps.ledger.attempts import failure_of
from threegaps.ledger.batches import Judged, Merged
from threegaps.ledger.expected import record_arrival
from threegaps.ledger.landed import REPLAY_PREFIX
from threegaps.ledger.standing_batches import StandingBatches, standing_with
from threegaps.ledger.tickets import note_outcome
from threegaps.ledger.touches import record_batch_touches
from threegaps.ledger.watermarks import advance_watermark
from threegaps.standards.areas import codes_in_force
from threegaps.standards.visible import log_of
from threegaps.translations import in_both
from threegaps.warehouse.closing import Closing
from threegaps.warehouse.copying import Judgement, copy_accepted, copy_refused
from threegaps.warehouse.merge import FALLEN, Merge
from threegaps.warehouse.quarantine import close_repaired, close_settled, keep_closed
from threegaps.warehouse.raw_table import ROWS, RawTable
from threegaps.warehouse.sessions import on_usable
from threegaps.warehouse.stopping import BatchStoppedError, Stopped, StopRules, stop_advice
from threegaps.warehouse.tables import ensure_partitions, ensure_tables, usual_months

logger = log_of(__name__)

# Small, so that memory does not follow the number of refused rows; the disk takes the rest.
_SPOOL_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """One batch to load.

    Args:
        judge: Starts the judgement; called again when a first attempt has to be repeated.
        is_whole: The batch has every original part of its delivery.
        is_complete: Whether the delivery is complete, given how many rows were received.
        repairs: Tokens of the refused rows that this batch mends, and each one's repair: its landed object, its row.
        accepted_rules: Stop rules that somebody has said are not to stop it.
    """

    contract: Contract
    delivery: Delivery
    batch_id: int
    judge: Callable[[], Judgement]
    is_whole: bool
    is_complete: Callable[[int], bool]
    repairs: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    accepted_rules: tuple[str, ...] = ()
    supersedes_batch_id: int | None = None
    watermark_from: str | None = None
    watermark_to: str | None = None

    @property
    def stop_rules(self) -> StopRules:
        """What can stop it."""
        return StopRules(self.contract, self.delivery, self.is_whole, self.accepted_rules)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did."""

    verdict: Verdict
    merged: Merged
    touches: int
    is_complete: bool


def load_batch(connection: psycopg.Connection[Any], plan: Plan) -> Loaded:
    """Judge and load one batch; *connection* is in autocommit and holds the feed's load lock.

    Raises:
        BatchStoppedError: A rule stopped it.
        FeedError: It could not be decoded.
        CertificationError: Great Expectations and the column rules disagree.
        LedgerError: The warehouse refused the rows, said without their values.
        psycopg.OperationalError: The warehouse went away; a rerun starts from what it had before.
    """
    try:
        return _load_once_or_twice(connection, plan)
    except Stopped as stop:
        raise BatchStoppedError(
            f"Batch {plan.batch_id} of {plan.delivery} was stopped by rule {stop.rule}: {stop.message_en.rstrip('.')}.",
            feed=plan.contract.feed,
            message_zh=f"{plan.delivery}的批次{plan.batch_id}被规则{stop.rule}停止:{stop.message_zh}",
            advice=stop_advice(plan.batch_id, stop.rule),
        ) from None
    except Exception as error:
        is_refused = isinstance(error, psycopg.DatabaseError) and not isinstance(error, psycopg.OperationalError)
        plain = _without_values(error, plan) if isinstance(error, psycopg.Error) and is_refused else error
        zh, en = _noted(plain)
        on_usable(connection, lambda usable: batches.fail_batch(usable, plan.batch_id, message_en=en, message_zh=zh))
        if plain is not error:
            # The server's own words quote the row, which may be personal: they do not follow into logs.
            raise plain from None
        raise


def _load_once_or_twice(connection: psycopg.Connection[Any], plan: Plan) -> Loaded:
    """Copy straight to the table where that may be, and merge where it may not, or turns out not to do."""
    with connection.transaction():
        ensure_tables(connection, plan.contract)
    if plan.contract.partition_column is not None:
        # Before the load: a new partition locks its table, and readers must not wait for a whole load.
        with connection.transaction():
            ensure_partitions(connection, plan.contract, usual_months(plan.delivery))
    if _is_first_of_its_keys(connection, plan):
        try:
            return _attempt(connection, plan, is_straight=True)
        except (errors.UniqueViolation, errors.CheckViolation) as error:
            # The ledger knew of nothing earlier, but some rows speak of other periods than their delivery's.
            logger.info(
                "%s: the delivery has %s: it is merged with the rows of earlier ones.",
                plan.contract.feed,
                "keys that an earlier one had"
                if isinstance(error, errors.UniqueViolation)
                else "rows of other periods",
            )
    return _attempt(connection, plan, is_straight=False)


def _attempt(connection: psycopg.Connection[Any], plan: Plan, *, is_straight: bool) -> Loaded:
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spooled:
        refused = cast(IO[bytes], spooled)
        try:
            with connection.transaction():
                return _load(connection, plan, refused, is_straight=is_straight)
        except Stopped as stop:
            with connection.transaction():
                copy_refused(connection, refused)
                judged = _judged(stop.verdict, stop.message_en, stop.message_zh)
                batches.stop_batch(connection, plan.batch_id, rule=stop.rule, judged=judged)
                batches.record_checks(connection, plan.batch_id, _checks(stop.verdict))
            raise


def _load(connection: psycopg.Connection[Any], plan: Plan, refused: IO[bytes], *, is_straight: bool) -> Loaded:
    contract = plan.contract
    table = RawTable(connection, contract, plan.batch_id, supersedes_batch_id=plan.supersedes_batch_id)
    if not is_straight:
        table.run("create temporary table {rows} (like {raw} including defaults) on commit drop")
    verdict = copy_accepted(
        connection,
        contract,
        plan.batch_id,
        plan.judge(),
        target=table.raw if is_straight else ROWS,
        refused=refused,
    )
    plan.stop_rules.after_judging(verdict)
    is_complete = plan.is_complete(verdict.counts.received)
    standing = standing_with(connection, plan.batch_id, delivery_kind=contract.delivery_kind, is_complete=is_complete)
    if is_straight:
        merged, touched = _counted(table, verdict), set(verdict.touched)
    else:
        merged, touched = _merge(table, plan, standing, verdict), table.touched
    copy_refused(connection, refused)
    _close_refusals(connection, plan, standing, verdict)
    if plan.supersedes_batch_id is not None:
        keep_closed(connection, plan.supersedes_batch_id, plan.batch_id)
    note_outcome(
        connection,
        contract.feed,
        plan.batch_id,
        # What comes behind a whole delivery mends nothing of it.
        accepted_keys={} if standing.is_replaced else verdict.settled_keys,
        repairs={} if standing.is_replaced else plan.repairs,
        supersedes_batch_id=plan.supersedes_batch_id,
    )
    touches = record_batch_touches(connection, plan.batch_id, contract.feed, touched)
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
    counties = _of_counties(connection, plan, table.raw if is_straight else ROWS)
    record_arrival(connection, contract.feed, plan.delivery.key, plan.batch_id, counties)
    return Loaded(verdict, merged, touches, is_complete)


def _merge(table: RawTable, plan: Plan, standing: StandingBatches, verdict: Verdict) -> Merged:
    plan.stop_rules.before_merging(table, verdict)
    plan.stop_rules.before_closing(table, standing, verdict)
    closing = Closing(table, standing)
    if plan.supersedes_batch_id is not None:
        closing.retract()
    counts = Merge(table, standing).run()
    closed = closing.close_absent()
    if plan.supersedes_batch_id is not None:
        closing.close_again()
    return Merged(
        inserted=counts.get("inserted", 0),
        changed=counts.get("changed", 0) + counts.get(FALLEN, 0),
        unchanged=sum(counts.get(name, 0) for name in ("raised", "repeated", "late")),
        withdrawn=counts.get("withdrawn", 0),
        closed_by_absence=closed,
    )


def _of_counties(connection: psycopg.Connection[Any], plan: Plan, rows: sql.Identifier) -> list[tuple[str, int]]:
    """The rows, accepted and refused, that the batch has of each county, where its feed owes them county by county.

    A workbook with a sheet of each county has come of those too whose sheet is blank. Repairs are rows that have been
    counted before.
    """
    column = plan.contract.owed_by_county
    if column is None or plan.repairs:
        return []
    found = connection.execute(
        sql.SQL(
            "select county_code, count(*) from (select {column} as county_code from {rows} where _batch_id = {batch}"
            " union all select county_code from quarantine.refused_row where batch_id = {batch}) as r"
            " where county_code is not null group by county_code"
        ).format(column=sql.Identifier(column), rows=rows, batch=sql.Literal(plan.batch_id))
    ).fetchall()
    counts = {str(county_code): int(number) for county_code, number in found if county_code in codes_in_force()}
    if plan.is_whole and has_sheet_of_each_county(plan.contract):
        counts = dict.fromkeys(codes_in_force(), 0) | counts
    return sorted(counts.items())


def _is_first_of_its_keys(connection: psycopg.Connection[Any], plan: Plan) -> bool:
    """Whether the ledger knows of nothing earlier for the batch's keys: its rows can go straight to the table."""
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


def _counted(table: RawTable, verdict: Verdict) -> Merged:
    """The counts of a batch that was copied straight to the table: all of it is new."""
    withdrawn = 0
    if table.contract.withdrawal is not None:
        row = table.run(
            "select count(*) from {raw} where _withdrawn and _batch_id = {batch}{own}",
            own=_own_partitions(table.contract, verdict),
        ).fetchone()
        withdrawn = int(row[0]) if row else 0
    return Merged(inserted=verdict.counts.accepted - withdrawn, changed=0, unchanged=0, withdrawn=withdrawn)


def _own_partitions(contract: Contract, verdict: Verdict) -> sql.Composable:
    """Keeps a count out of the partitions that the batch does not speak of."""
    if contract.partition_column is None or not verdict.touched:
        return sql.SQL("")
    return sql.SQL(" and {} between {} and {}").format(
        sql.Identifier(contract.partition_column),
        sql.Literal(min(first for _, first, _ in verdict.touched).isoformat()),
        sql.Literal(max(last for _, _, last in verdict.touched).isoformat()),
    )


def _close_refusals(
    connection: psycopg.Connection[Any], plan: Plan, standing: StandingBatches, verdict: Verdict
) -> None:
    """End the refusals that the batch settles: those of repairs, of keys that are accepted now, and of rows
    that a whole delivery replaces.

    A batch that comes behind a whole delivery leaves no refusal open itself.
    """
    if plan.repairs:
        close_repaired(connection, plan.contract.feed, list(plan.repairs), plan.batch_id)
    if plan.supersedes_batch_id is not None:
        connection.execute(
            "update quarantine.refused_row set closed_by_batch_id = %s"
            " where batch_id = %s and closed_by_batch_id is null",
            [plan.batch_id, plan.supersedes_batch_id],
        )
    if verdict.settled_keys and not standing.is_replaced:
        close_settled(connection, plan.contract.feed, verdict.settled_keys, plan.batch_id)
    settled = [*standing.replaced_by_own] if standing.is_replacing or standing.is_replaced else []
    if plan.is_whole and not standing.is_replaced:
        settled += batches.earlier_batch_ids(connection, plan.batch_id)
    if settled:
        connection.execute(
            "update quarantine.refused_row as refused set closed_by_batch_id = %s from ops.landed_object as landed"
            " where refused.landed_object_id = landed.landed_object_id and refused.batch_id = any(%s)"
            " and (%s or not landed.is_correction or starts_with(landed.part, %s))"
            " and refused.closed_by_batch_id is null",
            [plan.batch_id, settled, plan.contract.delivery_kind == "full_list", REPLAY_PREFIX],
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
        structural_lines=[(line.landed_object_id, line.sheet, line.line, line.reason) for line in verdict.noted_lines],
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


def _without_values(error: psycopg.Error, plan: Plan) -> LedgerError:
    """What the server has against the rows, without the values that its own message quotes."""
    found = re.search(r"COPY (\w+), line (\d+)(?:, column (\w+))?", error.diag.context or "")
    where = f" at line {found[2]} of what was copied to {found[1]}" if found else ""
    return LedgerError(
        f"The warehouse refused the rows of batch {plan.batch_id} of {plan.delivery}{where}:"
        f" {type(error).__name__} ({error.sqlstate}).",
        feed=plan.contract.feed,
        column=found[3] if found else error.diag.column_name,
        cause="not_as_contracted",
        advice="no rule of the contract says what the server asks for: add one that refuses such rows, then run again.",
    )


def _noted(error: BaseException) -> tuple[str, str]:
    """What the ledger says of an error in Chinese and in English: ours whole, of others what they are.

    The words of others may quote values.
    """
    if isinstance(error, ThreeGapsError):
        advice = f"处理办法:{in_both(error.advice)[0]}" if error.advice else ""
        return f"处理失败:{failure_of(error).message_zh}{advice}", str(error)
    of_kind = f"{type(error).__name__}: see the log of the load."
    said = of_warehouse(error) if isinstance(error, psycopg.Error) else of_kind
    return f"处理失败:{in_both(said)[0]}", said
