"""The rules on a whole batch: counters of it, and the bounds that a contract sets them.

Great Expectations alone judges them; there is no translation to agree with.
"""

from __future__ import annotations

from threegaps.batch.certify import Certifier
from threegaps.batch.tally import Tally
from threegaps.batch.verdict import CheckResult, Previous
from threegaps.contracts.model import Contract, Rule

_COUNTERS = {
    "expect_row_count_to_be_near_previous": "row_ratio",
    "expect_refused_share_to_be_below": "refused_share",
    "expect_duplicate_share_to_be_below": "duplicate_share",
    "expect_columns_to_be_as_declared": "changed_columns",
}
"""The counter that each expectation bounds."""


def batch_checks(contract: Contract, tally: Tally, previous: Previous, certifier: Certifier) -> list[CheckResult]:
    """The outcome of each of the contract's batch rules, in order.

    Args:
        contract: The feed's contract.
        tally: The counts of the whole batch.
        previous: The period before.
        certifier: The contract's.

    Raises:
        CertificationError: Great Expectations raised an exception.
    """
    rules = contract.batch_rules
    has_enough = {_COUNTERS[rule.expectation]: _has_enough_rows(rule, tally, previous) for rule in rules}
    counters = {
        name: value if has_enough.get(name) else None for name, value in _counters(contract, tally, previous).items()
    }
    outcomes = certifier.certify_counters(counters, [_bounds(rule) for rule in rules])
    return [_check(rule, is_fine=is_fine) for rule, is_fine in zip(rules, outcomes, strict=True)]


def _counters(contract: Contract, tally: Tally, previous: Previous) -> dict[str, float | None]:
    """The counters by name; None where there is nothing to divide by."""
    declared = {column.name for column in contract.columns}
    changed = 0 if previous.columns is None else len(set(previous.columns) ^ declared)
    return {
        "row_ratio": tally.received / previous.received if previous.received else None,
        "refused_share": tally.refused / tally.received if tally.received else None,
        "duplicate_share": tally.duplicates / tally.received if tally.received else None,
        "changed_columns": float(changed),
    }


def _has_enough_rows(rule: Rule, tally: Tally, previous: Previous) -> bool:
    """Whether the batch or the one before has the rows below which the rule says nothing."""
    return max(tally.received, previous.received or 0) >= int(rule.kwargs.get("min_rows", 0))


def _bounds(rule: Rule) -> tuple[str, float | None, float | None]:
    """The counter's name, its least and its largest value."""
    largest = rule.kwargs.get("max_ratio", rule.kwargs.get("max_share", 0))
    return _COUNTERS[rule.expectation], rule.kwargs.get("min_ratio"), largest


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
