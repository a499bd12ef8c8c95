"""What a file of returned rows is written from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from threegaps.contracts.model import Contract, Rule

Reason = Mapping[str, Any]
"""Why a row is refused, as quarantine keeps it: ``rule``, ``column``, ``message_zh``, ``message_en``; where it
contradicts another row, that one's number ``other_row``, and its landed object ``other_object`` where that differs.
A check, which has the file, says its line there instead: ``other_line``."""


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A row that goes back.

    Args:
        where: Which row it is, in the order of `Returned.where`.
        values: What was sent, by canonical name, masked as quarantine masks it.
        reasons: Everything that is wrong with it.
    """

    where: Sequence[str]
    values: Mapping[str, str | None]
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows one thing is wrong with.

    Args:
        rule: The rule's id in the contract.
        column: The column that is named, by its canonical name; None where a whole row is wrong.
        message_zh: What is wrong, in Chinese.
        rows: How many.
    """

    rule: str
    column: str | None
    message_zh: str
    rows: int


@dataclass(frozen=True)
class Returned:
    """All rows that go back in one file.

    Args:
        contract: The feed's contract.
        where: Heads of the columns that say which row it is.
        rows: The rows.
        is_synthetic: Whether they are of the sandbox: the file says so.
        about: Further lines of the summary, each a name and what it is.
    """

    contract: Contract
    where: Sequence[str]
    rows: Sequence[ReturnedRow]
    is_synthetic: bool
    about: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @property
    def header(self) -> list[str]:
        """The heads of all columns: which row, the columns by the department's own names, the reasons."""
        return [*self.where, *(column.source_name for column in self.contract.sent_columns), REASONS_HEADER]

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.rule: rule for rule in self.contract.rules}

    def wrong_columns(self, row: ReturnedRow) -> dict[str, list[str]]:
        """What is wrong by column, in Chinese: of a rule on several columns each of them is marked."""
        found: dict[str, list[str]] = {}
        for reason in row.reasons:
            rule = self._rules.get(str(reason["rule"]))
            named = {reason["column"]} if reason["column"] else set()
            if rule is not None and rule.column == reason["column"]:
                named |= set(self.contract.key if rule.kind.scope == "key" else rule.columns)
            if rule is not None and not rule.kind.names_column:
                # It looks for something in every column, and does not say where it was found.
                named = set()
            for name in named:
                found.setdefault(str(name), []).append(said_zh(reason))
        return found

    def totals(self) -> list[Total]:
        """What is wrong with how many rows, the most frequent first."""
        counted = Counter(
            (str(reason["rule"]), reason["column"], str(reason["message_zh"]))
            for row in self.rows
            for reason in row.reasons
        )
        return [
            Total(rule, column, message, rows)
            for (rule, column, message), rows in sorted(
                counted.items(), key=lambda one: (-one[1], one[0][0], str(one[0][1]), one[0][2])
            )
        ]


REASONS_HEADER = "退回原因"


def reasons_zh(row: ReturnedRow) -> str:
    """All that is wrong with a row, in Chinese."""
    return ";".join(said_zh(reason) for reason in row.reasons)


def said_zh(reason: Reason) -> str:
    """What is wrong, in Chinese, with the number of the other row where it is wrong beside one."""
    line, row = reason.get("other_line"), reason.get("other_row")
    if not line and not row:
        return str(reason["message_zh"])
    where = "另一文件中" if reason.get("other_object") else ""
    return f"{reason['message_zh']}(另见{where}{f'第{line}行' if line else f'数据行{row}'})"
