"""The rules on a whole batch: counters of it, and the bounds that a contract sets them."""

from __future__ import annotations

import polars as pl

from threegaps.batch.frames import JudgedFrame, as_columns
from threegaps.batch.row_rules import unexpected
from threegaps.batch.tally import Tally
from threegaps.batch.verdict import CheckResult, Previous
from threegaps.contracts.model import Contract, Rule
from threegaps.rules.frames import BATCH_COLUMNS, CHANGED_COLUMNS, DUPLICATES, PREVIOUS_RECEIVED, RECEIVED, REFUSED


def batch_checks(contract: Contract, tally: Tally, previous: Previous) -> list[CheckResult]:
    """The outcome of each of the contract's batch rules, in order; certified like all that is judged of a batch.

    Args:
        contract: The feed's contract.
        tally: The counts of the whole batch.
        previous: The period before.
    """
    judged = counters_judged(contract, tally, previous)
    return [_check(rule, is_fine=not judged.verdicts[rule.rule].any()) for rule in judged.rules]


def counters_judged(contract: Contract, tally: Tally, previous: Previous) -> JudgedFrame:
    """The batch's counters with what its rules say of them."""
    frame = batch_frame(contract, tally, previous)
    columns = as_columns(frame)
    verdicts = {rule.rule: unexpected(rule, columns) for rule in contract.batch_rules}
    return JudgedFrame(contract.batch_rules, frame, verdicts, None)


def batch_frame(contract: Contract, tally: Tally, previous: Previous) -> pl.DataFrame:
    """The batch's counters as one row."""
    declared = {column.name for column in contract.columns}
    counters = {
        RECEIVED: tally.received,
        REFUSED: tally.refused,
        DUPLICATES: tally.duplicates,
        PREVIOUS_RECEIVED: previous.received,
        CHANGED_COLUMNS: 0 if previous.columns is None else len(set(previous.columns) ^ declared),
    }
    return pl.DataFrame([pl.Series(name, [counters[name]], dtype=pl.Float64, strict=False) for name in BATCH_COLUMNS])


def _check(rule: Rule, *, is_fine: bool) -> CheckResult:
    outcome = "passed" if is_fine else "stopped" if rule.action == "stop" else "warned"
    return CheckResult(
        rule=rule.rule,
        expectation=rule.expectation,
        column=None,
        action=rule.action,
        evaluated=1,
        unexpected=int(not is_fine),
        outcome=outcome,
        is_certified=True,
    )
