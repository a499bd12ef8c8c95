"""What a judgement compares with, and what comes of it: rows for COPY block by block, and a verdict at the end.

Nothing heavy is imported here: loads name these types without judging.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Previous:
    """What the period before looked like, for the batch rules; None where there was none."""

    received: int | None = None
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class JudgedBlock:
    """Rows ready for COPY (CSV, a missing value is an empty field without quotes).

    ``removed`` has, in the form of accepted rows, keys whose row in an earlier block does not stay after all; it comes
    before any row that takes such a key.
    """

    accepted: bytes
    accepted_rows: int
    refused: bytes
    refused_rows: int
    duplicate_rows: int
    removed: bytes = b""
    removed_rows: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """physical_lines = structural + received; received = accepted + refused + duplicates."""

    physical_lines: int
    structural: int
    received: int
    accepted: int
    refused: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule's outcome over the batch: ``passed``, ``refused_rows``, ``warned`` or ``stopped``."""

    rule: str
    expectation: str
    column: str | None
    action: str
    evaluated: int
    unexpected: int
    outcome: str
    is_certified: bool


@dataclass(frozen=True, slots=True)
class NotedLine:
    """A structural line that can be looked at: where it stands, and why it is no row.

    ``sheet`` is a sheet's position in its workbook, ``line`` a row there, a line of a file, or a page of answers; all
    from 1.
    """

    landed_object_id: int
    sheet: int | None
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a batch came to.

    ``touched`` holds (county, from, to) of accepted rows, ``date.max`` is an open end; ``open_rows`` are
    the accepted rows that are no withdrawals; ``noted_lines`` are some of the structural
    lines, as many as the contract's limit allows; ``settled_keys`` are hashes of accepted keys that earlier rows were
    refused under, and of each the newest landed object that has it.
    """

    stopped_by: str | None
    message_en: str | None
    message_zh: str | None
    counts: Counts
    structural_reasons: dict[str, int]
    normalisations: dict[str, int]
    checks: tuple[CheckResult, ...]
    touched: frozenset[tuple[str, dt.date, dt.date]]
    open_rows: int
    noted_lines: tuple[NotedLine, ...] = ()
    settled_keys: Mapping[str, int] = field(default_factory=dict)
