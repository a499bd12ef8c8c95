"""What a feed's contract says, as plain frozen data.

Nothing heavy is imported here: DAG files read contracts at every parse.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from threegaps.calendar import Cadence
from threegaps.contracts.options.deliveries import (
    Completeness,
    DeliveryKind,
    DueOnDayOff,
    Shrinkage,
    Touch,
    Watermark,
    Withdrawal,
)
from threegaps.contracts.options.formats import FileFormat, Origin
from threegaps.contracts.options.headers import HeaderName
from threegaps.contracts.options.normalisations import Normalisation
from threegaps.contracts.options.platforms import SourcePlatform
from threegaps.contracts.options.sources import Source
from threegaps.contracts.options.statutory import StatisticalForm, StatutoryMark
from threegaps.rules.model import Action, Rule

Grade = Literal["L1", "L2", "L3", "L4"]

__all__ = [
    "Action",
    "Code",
    "Column",
    "Completeness",
    "Contract",
    "DeliveryKind",
    "FileFormat",
    "Grade",
    "Header",
    "Normalisation",
    "Origin",
    "Rule",
    "Source",
    "Touch",
    "Watermark",
    "Withdrawal",
    "header_of",
]


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of a code list with its meaning."""

    code: str
    label_zh: str
    label_en: str


@dataclass(frozen=True, slots=True)
class Header:
    """What the department calls a column, from the first to the last day of the deliveries that say so."""

    name: str
    valid_from: dt.date = dt.date.min
    valid_to: dt.date = dt.date.max

    def holds_on(self, day: dt.date) -> bool:
        """Whether deliveries that end on *day* have it."""
        return self.valid_from <= day <= self.valid_to


def header_of(written: HeaderName) -> Header:
    """A header as the contract's file says it."""
    return Header(written.header, written.valid_from or dt.date.min, written.valid_to or dt.date.max)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a feed.

    Args:
        name: The canonical name.
        headers: What the department calls it, the newest last; none where it is derived from another column.
        logical_type: One of the standard's logical types.
        sql_type: The type in the raw table.
        required: Whether a row without it is refused.
        grade: Personal-data grade by DB33/T 2351—2021 (L1 not sensitive to L4 sensitive).
        description_zh: Chinese label, with the unit where there is one.
        description_en: English meaning.
        is_stored: Whether the raw table has it; units and operations are used up on the way.
        code_list: The codes that the column may hold; empty where it is no code.
        origin: Where its values come from if from no column of the file; None with headers, or where it is derived.
        note_zh: What a reader has to know besides the label; empty where the label says enough.
        physical_name: The raw table's column, where the contract says it; by default of the same name.
    """

    name: str
    headers: tuple[Header, ...]
    logical_type: str
    sql_type: str
    required: bool
    grade: Grade
    description_zh: str
    description_en: str
    is_stored: bool = True
    code_list: tuple[Code, ...] = ()
    origin: Origin | None = None
    note_zh: str = ""
    physical_name: str | None = None

    @property
    def source_name(self) -> str:
        """What the department calls it now, our own label where it stands in no column; empty where it is derived."""
        if self.headers:
            return self.headers[-1].name
        return self.description_zh if self.origin else ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A feed's contract, its derived rules written out; `threegaps.contracts.document` has the file that says it.

    ``written`` is that file as it was read.
    """

    feed: str
    department: str
    name: str
    version: str
    title_zh: str
    title_en: str
    row_zh: str
    row_en: str
    owner_zh: str
    connection_id: str
    pool: str
    source: Source
    file_format: FileFormat
    normalisations: tuple[Normalisation, ...]
    cadence: Cadence
    due_cron: str
    due_day: str
    retention_months: int
    first_delivery: str
    delivery_kind: DeliveryKind
    version_column: str | None
    withdrawal: Withdrawal | None
    watermark: Watermark | None
    completeness: Completeness
    touch: Touch
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    batch_rules: tuple[Rule, ...]
    partition_column: str | None
    table: str
    hash: str
    shrinkage: Shrinkage = field(default_factory=Shrinkage)
    covers_from: dt.date | None = None
    due_on_day_off: DueOnDayOff | None = None
    grace_minutes: int = 240
    owed_by_county: str | None = None
    is_summary: bool = False
    is_published: bool = False
    statutory_mark: StatutoryMark | None = None
    source_platform: SourcePlatform | None = None
    by_name: Mapping[str, Column] = field(repr=False, compare=False, default_factory=dict)
    written: Mapping[str, Any] = field(repr=False, compare=False, default_factory=dict)

    @property
    def protocol(self) -> str:
        """How the department is reached."""
        return self.source.protocol

    @property
    def form(self) -> StatisticalForm | None:
        """The statistical form that it is; None of an administrative record."""
        return self.statutory_mark if isinstance(self.statutory_mark, StatisticalForm) else None

    @property
    def sent_columns(self) -> tuple[Column, ...]:
        """The columns whose texts come with the rows; what is derived from them is nobody's to send or to mend."""
        return tuple(column for column in self.columns if column.source_name)

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that the raw table keeps."""
        return tuple(column for column in self.columns if column.is_stored)

    @property
    def withheld_columns(self) -> tuple[str, ...]:
        """The personal columns that are kept nowhere, such as names: of grade L3 or above, and not stored."""
        return tuple(column.name for column in self.columns if not column.is_stored and column.grade >= "L3")

    @property
    def content_columns(self) -> tuple[str, ...]:
        """What a row says: the columns that the raw table keeps, and the one by which it is withdrawn."""
        withdrawal = None if self.withdrawal is None else self.withdrawal.column
        return tuple(column.name for column in self.columns if column.is_stored or column.name == withdrawal)

    @property
    def has_person(self) -> bool:
        """Whether rows speak of a person, whose document number is replaced by a pseudonym."""
        return "resident_id" in self.by_name

    def normalisations_of(self, kind: str) -> tuple[Any, ...]:
        """The declared normalisations of a kind, in order."""
        return tuple(option for option in self.normalisations if option.kind == kind)

    @property
    def boolean_words(self) -> Mapping[str, tuple[str, str]]:
        """By column the words for yes and for no, where the contract says any."""
        return {words.column: (words.true, words.false) for words in self.normalisations_of("boolean_words")}
