"""What a feed's contract says, as plain frozen data.

Nothing heavy is imported here: DAG files read contracts at every parse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from threegaps.calendar import Cadence

Protocol = Literal["http", "sftp", "database", "file_drop"]
DeliveryKind = Literal["full_list", "full_period", "changes"]
Action = Literal["refuse", "warn", "stop"]
Grade = Literal["L1", "L2", "L3", "L4"]

LOGICAL_TYPES = ("string", "date", "timestamp", "number", "integer", "boolean")


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of a code list with its meaning."""

    code: str
    label_zh: str
    label_en: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a feed.

    Args:
        name: The canonical name.
        source_name: What the department calls it; two-row headers are joined by ``/``.
        logical_type: One of the standard's logical types, see ``LOGICAL_TYPES``.
        sql_type: The type in the raw table.
        required: Whether a row without it is refused.
        grade: Personal-data grade by DB33/T 2350 (L1 open to L4 sensitive).
        description_zh: Chinese label, with the unit where there is one.
        description_en: English meaning.
        is_stored: Whether the raw table has it; units and operations are used up on the way.
        code_list: The codes that the column may hold; empty where it is no code.
    """

    name: str
    source_name: str
    logical_type: str
    sql_type: str
    required: bool
    grade: Grade
    description_zh: str
    description_en: str
    is_stored: bool = True
    code_list: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One Great Expectations expectation and what follows when it does not hold.

    Args:
        rule: The rule's id, unique in the feed; quarantine and ledger speak of it.
        expectation: The expectation type, in snake case.
        kwargs: The expectation's arguments.
        action: ``refuse`` the row, ``warn``, or ``stop`` the batch.
        message_zh: The reason in Chinese, for the department.
        message_en: The reason in English.
        columns: The canonical columns that it reads.
    """

    rule: str
    expectation: str
    kwargs: Mapping[str, Any]
    action: Action
    message_zh: str
    message_en: str
    columns: tuple[str, ...] = ()

    @property
    def column(self) -> str | None:
        """The column that a refusal names: the first that the rule reads."""
        return self.columns[0] if self.columns else None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How a row says that an earlier one no longer holds."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Touch:
    """Which counties and periods an accepted row speaks of.

    Args:
        county_columns: Columns with county or area codes; each present one is touched.
        from_columns: The first of these that has a value is the period's first day.
        to_columns: Likewise its last day; ``infinity`` stands for an open end, none of them for the first day.
    """

    county_columns: tuple[str, ...]
    from_columns: tuple[str, ...]
    to_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """A feed's contract; see ``docs/`` for the meaning of each field and the standard behind it (ODCS v3.1)."""

    feed: str
    department: str
    name: str
    version: str
    title_zh: str
    title_en: str
    owner_zh: str
    protocol: Protocol
    connection_id: str
    source: Mapping[str, Any]
    file_format: Mapping[str, Any]
    normalisations: tuple[Mapping[str, Any], ...]
    cadence: Cadence
    due_cron: str
    due_day: str
    first_delivery: str
    delivery_kind: DeliveryKind
    watermark_overlap_seconds: int
    version_column: str | None
    withdrawal: Withdrawal | None
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    batch_rules: tuple[Rule, ...]
    touch: Touch
    partition_column: str | None
    completeness: Mapping[str, Any]
    table: str
    pool: str
    hash: str
    by_name: Mapping[str, Column] = field(repr=False, compare=False, default_factory=dict)

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that the raw table keeps."""
        return tuple(column for column in self.columns if column.is_stored)

    @property
    def has_person(self) -> bool:
        """Whether rows speak of a person, whose document number is replaced by a pseudonym."""
        return "resident_id" in self.by_name
