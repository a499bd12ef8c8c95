"""When a batch stops although its rows could be judged: nothing of it is published until somebody looks.

The contract's own batch rules are judged with its rows (`threegaps.batch.batch_rules`). Here is what needs the
warehouse, or the delivery, besides.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from psycopg import sql

from threegaps.batch.own_period import WRONG_PERIOD, other_period, part_of_other_period, speaks_of
from threegaps.batch.verdict import Verdict
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
from threegaps.ledger.batches import SHRUNK
from threegaps.ledger.standing_batches import StandingBatches
from threegaps.rules.kinds.batch_duplicate_share import BatchDuplicateShare
from threegaps.rules.kinds.batch_refused_share import BatchRefusedShare
from threegaps.rules.model import Rule
from threegaps.warehouse.raw_table import RawTable


def stop_advice(batch_id: int, rule: str | None) -> str:
    """What to do about a batch that *rule* stopped."""
    if rule == SHRUNK:
        return (
            "ask the department whether it is meant: it sends again, or somebody answers for it with"
            f' `threegaps batches accept {batch_id} --why "..."`.'
        )
    return (
        f"see `threegaps batches` and `threegaps quarantine show --batch {batch_id}`;"
        " ask the department for a new delivery, or mend the contract."
    )


class BatchStoppedError(FeedError):
    """A rule stopped the batch: nothing of it is published, its counts and refused rows are kept."""

    default_cause = "stopped"


class Stopped(Exception):  # noqa: N818  # leaves the transaction, never the load
    """Why a batch stops; it ends the transaction of its load."""

    def __init__(self, verdict: Verdict, rule: str, message_en: str, message_zh: str) -> None:
        super().__init__(message_en)
        self.verdict, self.rule, self.message_en, self.message_zh = verdict, rule, message_en, message_zh


@dataclass(frozen=True, slots=True)
class StopRules:
    """The rules that can stop one batch.

    Args:
        is_whole: The batch has every original part of its delivery.
        accepted: Rules that somebody has said are not to stop it: what they see is meant.
    """

    contract: Contract
    delivery: Delivery
    is_whole: bool
    accepted: Collection[str] = ()

    def after_judging(self, verdict: Verdict) -> None:
        """Stop where a batch rule of the contract said so, or no row speaks of the delivery's period.

        Raises:
            Stopped: With the rule and its reason.
        """
        stopping = [check.rule for check in verdict.checks if check.outcome == "stopped"]
        if not stopping and verdict.stopped_by is not None:
            stopping = [verdict.stopped_by]
        for name in stopping:
            if name not in self.accepted:
                rules = (*self.contract.rules, *self.contract.batch_rules)
                rule = next((known for known in rules if known.rule == name), None)
                texts = (verdict.message_en, verdict.message_zh) if rule is None else (rule.message_en, rule.message_zh)
                numbers_en, numbers_zh = _in_numbers(verdict, name, rule)
                raise Stopped(verdict, name, f"{texts[0] or ''}{numbers_en}", f"{texts[1] or ''}{numbers_zh}")
        is_judged = self.contract.delivery_kind == "full_period" and self.is_whole and verdict.counts.accepted
        if is_judged and not speaks_of(verdict.touched, self.delivery):
            raise Stopped(verdict, WRONG_PERIOD, *other_period(self.delivery))

    def before_merging(self, table: RawTable, verdict: Verdict) -> None:
        """Stop where one part of a delivery speaks of other periods only.

        Merged, its rows would pass for this delivery's, and be closed with the next one that no longer has them. A part
        that is copied straight to the table meets no rows of another delivery.

        Raises:
            Stopped: With the part's name.
        """
        contract, column = self.contract, self.contract.partition_column
        if contract.delivery_kind != "full_period" or column is None or not self.is_whole:
            return
        row = table.run(
            "select l.source_name from {rows} as b join ops.landed_object as l"
            " on l.landed_object_id = b._landed_object_id group by l.source_name"
            " having count(*) filter (where b.{column} between {first} and {last}) = 0 order by 1 limit 1",
            column=sql.Identifier(column),
            first=sql.Literal(self.delivery.start),
            last=sql.Literal(self.delivery.end),
        ).fetchone()
        if row is not None:
            raise Stopped(verdict, WRONG_PERIOD, *part_of_other_period(row[0], self.delivery))

    def before_closing(self, table: RawTable, standing: StandingBatches, verdict: Verdict) -> None:
        """Stop where a complete whole delivery has no row, or far fewer than stand open of it.

        Raises:
            Stopped: With both numbers.
        """
        if not standing.is_replacing or SHRUNK in self.accepted:
            return
        replaced = sql.SQL("({} or r._batch_id is not distinct from {}::bigint)").format(
            table.is_replaced("r", standing), sql.Literal(table.supersedes_batch_id)
        )
        is_list = self.contract.delivery_kind == "full_list"
        months = None if is_list else table.pruning.months_of_delivery()
        row = table.run(
            "select count(*) from {raw} as r where not r._withdrawn and {replaced} and {within}",
            replaced=replaced,
            within=table.pruning.within("r", months),
        ).fetchone()
        open_before, open_now = int(row[0]) if row else 0, verdict.open_rows
        bound = self.contract.shrinkage
        has_shrunk = open_before >= bound.from_rows and open_now < open_before * bound.least_share
        if open_before and (open_now == 0 or has_shrunk):
            least = max(1, math.ceil(open_before * bound.least_share)) if open_before >= bound.from_rows else 1
            raise Stopped(
                verdict,
                SHRUNK,
                f"{open_now} rows are left of {open_before} that stand, and {least} at least must be: this looks like"
                " an emptied or a cut file. If it is meant, accept the batch.",
                f"现有{open_before}行有效数据,本批次仅剩{open_now}行,至少应有{least}行:疑为清空或截断的文件。如确属有意,请确认接收本批次。",
            )


def _in_numbers(verdict: Verdict, name: str, rule: Rule | None) -> tuple[str, str]:
    """What share of the rows stopped the batch, what share may be, and which rule did most; in English and Chinese.

    Args:
        name: The rule that stopped it.
        rule: The same as the contract has it; None where it is none of the contract's.
    """
    counts, arguments = verdict.counts, None if rule is None else rule.arguments
    check = next((check for check in verdict.checks if check.rule == name), None)
    if isinstance(arguments, BatchRefusedShare | BatchDuplicateShare):
        is_refused = isinstance(arguments, BatchRefusedShare)
        rows, received, most = (
            (counts.refused if is_refused else counts.duplicates),
            counts.received,
            arguments.max_share,
        )
        what = "refused" if is_refused else "double"
        what_zh = "拒收" if is_refused else "重复"
    elif rule is not None and rule.kind.scope != "batch" and check is not None:
        rows, received, most, what, what_zh = check.unexpected, check.evaluated, 0.0, "not as they must be", "不合规则"
    else:
        return "", ""
    share, limit = _percent(rows, received), f"{most * 100:g} %"
    said = f": {rows:,} of {received:,} rows are {what} ({share}), at most {limit} may be"
    said_zh = f":{received:,}行中{rows:,}行{what_zh}({share}),上限{limit}"
    refusing = sorted(
        (check for check in verdict.checks if check.outcome == "refused_rows" and check.unexpected),
        key=lambda check: (-check.unexpected, check.rule),
    )
    if isinstance(arguments, BatchRefusedShare) and refusing:
        first = refusing[0]
        said += f"; the rule {first.rule} refused most, {first.unexpected:,}"
        said_zh += f";其中规则{first.rule}拒收最多,{first.unexpected:,}行"
    return said, said_zh


def _percent(part: int, whole: int) -> str:
    """A share in percent with one decimal, rounded up: what is over a limit does not read as the limit itself."""
    return f"{-(-part * 1000 // whole) / 10 if whole else 0:.1f} %"
