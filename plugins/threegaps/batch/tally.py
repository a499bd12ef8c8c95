"""What is counted of a batch while its blocks are judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from threegaps.batch.decode import TextBlock
from threegaps.batch.verdict import CheckResult, Counts, NotedLine
from threegaps.contracts.model import Rule

_OUTCOMES = {"refuse": "refused_rows", "warn": "warned", "stop": "stopped"}


@dataclass(slots=True)
class Tally:
    """Rows and lines so far.

    ``structural`` counts lines by reason, ``unexpected`` rows by the rule that they break; ``passed_rows`` are those
    that no rule on rows by themselves refused; ``open_rows`` are the accepted ones that are no withdrawals;
    ``noted`` has the positions of at most ``most_noted`` structural lines.
    """

    physical_lines: int = 0
    received: int = 0
    accepted: int = 0
    refused: int = 0
    duplicates: int = 0
    structural: Counter[str] = field(default_factory=Counter)
    noted: list[NotedLine] = field(default_factory=list)
    most_noted: int = 0
    unexpected: Counter[str] = field(default_factory=Counter)
    passed_rows: int = 0
    open_rows: int = 0

    def receive(self, block: TextBlock) -> None:
        """Count what *block* brings, before any row of it is judged."""
        rows = block.received
        self.physical_lines += block.physical_lines
        self.structural.update(block.structural)
        kept = block.noted[: max(0, self.most_noted - len(self.noted))]
        self.noted.extend(NotedLine(block.part.landed_object_id, line.sheet, line.line, line.reason) for line in kept)
        self.received += rows

    def counts(self) -> Counts:
        """The counts that the ledger keeps."""
        return Counts(
            physical_lines=self.physical_lines,
            structural=self.structural.total(),
            received=self.received,
            accepted=self.accepted,
            refused=self.refused,
            duplicates=self.duplicates,
        )

    def check(self, rule: Rule, *, is_certified: bool) -> CheckResult:
        """The outcome of a rule on rows; keys are compared only of rows that passed the other rules."""
        unexpected = self.unexpected[rule.rule]
        return CheckResult(
            rule=rule.rule,
            expectation=rule.expectation,
            column=rule.column,
            action=rule.action,
            evaluated=self.passed_rows if rule.kind.scope == "key" else self.received,
            unexpected=unexpected,
            outcome=_OUTCOMES[rule.action] if unexpected else "passed",
            is_certified=is_certified,
        )
