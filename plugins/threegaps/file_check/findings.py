"""What a check came to: what is wrong, where, and what would become of the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from threegaps.batch.verdict import Counts
from threegaps.returned import ReturnedRow

Outcome = Literal["fine", "waits", "no_rows", "rows_refused", "not_loaded"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands.

    Args:
        file: The file's name.
        row_number: The row, counted from 1 at the file's first data row.
        line: Its line in the file, or its row in the sheet, from 1; None where that is not known.
        sheet: The sheet's position in its workbook, from 1; None where there are no sheets.
    """

    file: str
    row_number: int
    line: int | None = None
    sheet: int | None = None

    @property
    def seen(self) -> int:
        """The row as whoever opens the file sees it numbered; of a file without lines, which it is in order."""
        return self.line or self.row_number


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that is wrong, with every row that it is wrong with.

    Args:
        code: Its number, see `threegaps.file_check.codes`.
        action: What follows: ``refuse`` the row or the file, ``warn``, ``stop`` the delivery, or ``wait`` for the rest.
        message_zh: What is wrong, in Chinese.
        message_en: What is wrong, in English.
        count: How many rows, or files, it is wrong with.
        rule: The rule's id in the contract; None of a file as a whole.
        column: The column's canonical name; None where it is of a row or a file.
        header: What the department calls the column; empty where there is none.
        places: Where they stand, the first of them; empty of a rule on all rows together, and of rules that only warn.
        file: The file, of one that is wrong as a whole.
        advice_zh: What to do about such a file, in Chinese.
        advice_en: What to do about such a file, in English.
    """

    code: str
    action: str
    message_zh: str
    message_en: str
    count: int = 1
    rule: str | None = None
    column: str | None = None
    header: str = ""
    places: Sequence[Place] = ()
    file: str | None = None
    advice_zh: str | None = None
    advice_en: str | None = None


@dataclass(frozen=True, slots=True)
class FileFindings:
    """All that a check found.

    Args:
        feed: The feed.
        contract_version: The version of its contract.
        delivery: The delivery that the files were judged as.
        files: The names of the files.
        counts: What was counted over the files that could be read; None where none could.
        findings: What is wrong, files first, then by code.
        rows: The rows that would be refused, for the workbook: the first of them.
        refused_rows: How many there are.
    """

    feed: str
    contract_version: str
    delivery: str
    files: Sequence[str]
    counts: Counts | None
    findings: Sequence[Finding]
    rows: Sequence[ReturnedRow] = ()
    refused_rows: int = 0

    @property
    def outcome(self) -> Outcome:
        """What would become of the files: all rows taken, at once or with the rest; no row there; some refused; or
        nothing loaded."""
        actions = {finding.action for finding in self.findings}
        if "stop" in actions or self.counts is None:
            return "not_loaded"
        if "refuse" in actions:
            return "rows_refused"
        # Of no row nobody can say that all would be taken, not even later.
        if not self.counts.received:
            return "no_rows"
        return "waits" if "wait" in actions else "fine"

    def as_data(self) -> dict[str, Any]:
        """The findings as JSON has them; no received value is among them, and the rows are not."""
        return {
            "feed": self.feed,
            "contract_version": self.contract_version,
            "delivery": self.delivery,
            "outcome": self.outcome,
            "files": list(self.files),
            "counts": None if self.counts is None else dataclasses.asdict(self.counts),
            "findings": [dataclasses.asdict(finding) for finding in self.findings],
        }
