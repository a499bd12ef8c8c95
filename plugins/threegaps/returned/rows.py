"""What a file of returned rows is written from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from threegaps.contracts.model import Contract, Rule
from threegaps.labels import OTHER_LINES, OTHER_ROWS

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


@dataclass(slots=True)
class WrongCell:
    """What is wrong with one cell.

    Args:
        reasons: Everything that is wrong with it.
        is_wrong_by_itself: Whether its own value is; else another row of the same key says something else.
    """

    reasons: list[Reason] = field(default_factory=list)
    is_wrong_by_itself: bool = False


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

    @cached_property
    def _contradicting(self) -> dict[tuple[str | None, ...], list[ReturnedRow]]:
        """Rows that contradict each other, by what they say in the columns of the key."""
        found: dict[tuple[str | None, ...], list[ReturnedRow]] = {}
        for row in self.rows:
            if any(self._is_of_key(reason) for reason in row.reasons):
                found.setdefault(self._key_of(row), []).append(row)
        return found

    def wrong_columns(self, row: ReturnedRow) -> dict[str, WrongCell]:
        """What is wrong by column: of a rule on several columns each of them is marked.

        Of rows that contradict each other that is where they differ, as far as they stand here; the key, which they
        share, only where nothing else can be named.
        """
        found: dict[str, WrongCell] = {}
        for reason in row.reasons:
            rule = self._rules.get(str(reason["rule"]))
            named = {reason["column"]} if reason["column"] else set()
            is_of_key = self._is_of_key(reason)
            if is_of_key:
                named = self._differing(row) or set(self.contract.key)
            elif rule is not None and rule.column == reason["column"]:
                named |= set(rule.columns)
            if rule is not None and not rule.kind.names_column:
                # It looks for something in every column, and does not say where it was found.
                named = set()
            for name in named:
                cell = found.setdefault(str(name), WrongCell())
                cell.reasons.append(reason)
                cell.is_wrong_by_itself |= not is_of_key
        return found

    def _is_of_key(self, reason: Reason) -> bool:
        rule = self._rules.get(str(reason["rule"]))
        return rule is not None and rule.kind.scope == "key"

    def _key_of(self, row: ReturnedRow) -> tuple[str | None, ...]:
        return tuple(row.values.get(name) for name in self.contract.key)

    def _differing(self, row: ReturnedRow) -> set[str]:
        """Columns in which rows of the same key differ; none where a part of the key does not stand here."""
        key = self._key_of(row)
        if None in key:
            return set()
        alike = self._contradicting.get(key, [])
        # Of what makes the content alone: a running number differs in every row.
        sent = {column.name for column in self.contract.sent_columns} & set(self.contract.content_columns)
        names = sent - set(self.contract.key)
        return {name for name in names if len({one.values.get(name) for one in alike}) > 1}

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
    other = _other_row(reason, 0)
    return f"{reason['message_zh']}({other})" if other else str(reason["message_zh"])


def said_en(reason: Reason) -> str:
    """As `said_zh`, in English."""
    other = _other_row(reason, 1)
    return f"{reason['message_en']} ({other})" if other else str(reason["message_en"])


def _other_row(reason: Reason, language: int) -> str:
    place = "elsewhere" if reason.get("other_object") else "here"
    if line := reason.get("other_line"):
        return OTHER_LINES[place][language].format(line)
    if row := reason.get("other_row"):
        return OTHER_ROWS[place][language].format(row)
    return ""
