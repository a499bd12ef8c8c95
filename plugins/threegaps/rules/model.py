"""What a kind of rule is, and a rule of a feed.

Contracts are read with these, so nothing heavy is imported here: polars and Great Expectations are where they judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import polars as pl

    from threegaps.standards.identifiers import ResidentIds

Action = Literal["refuse", "warn", "stop"]
Dimension = Literal["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"]
Scope = Literal["row", "line", "key", "batch"]
SCOPES: tuple[Scope, ...] = ("row", "line", "key", "batch")
Values = tuple[str | bool | int | float, ...]
Labels = Mapping[str, str]
"""The Chinese names of columns by their canonical ones."""

TEXT = "@text"
"""Ending of the columns that hold texts, beside the typed ones."""


class View(Protocol):
    """What a column form reads of a column: its texts after the declared normalisations, and its typed values."""

    @property
    def text(self) -> pl.Series: ...

    @property
    def typed(self) -> pl.Series: ...

    def resident_ids(self) -> ResidentIds:
        """What the texts say as resident identity numbers."""
        ...

    def judge_texts(self, judge: Callable[[pl.Series], pl.Series]) -> pl.Series:
        """The rows whose text *judge* finds; it is asked once for each different text where texts repeat."""
        ...


Columns = Mapping[str, View]


@dataclass(frozen=True, slots=True)
class Reads:
    """How an argument's column is read (``text``, ``typed`` values, ``both``), and of which logical types it may be."""

    form: Literal["text", "typed", "both"]
    logical_types: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ValuesOf:
    """Marks an argument whose values are typed values of the column that another argument names."""

    argument: str


_FRAME_COLUMNS: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "text": lambda name: (f"{name}{TEXT}",),
    "typed": lambda name: (name,),
    "both": lambda name: (name, f"{name}{TEXT}"),
}

AS_TEXT = Reads("text")
AS_BOTH = Reads("both")
AS_TYPED = Reads("typed")
AS_DAY = Reads("typed", frozenset({"date"}))
AS_AMOUNT = Reads("typed", frozenset({"number", "integer"}))
AS_ORDERED = Reads("typed", frozenset({"date", "timestamp", "number", "integer"}))


class Arguments(BaseModel):
    """The arguments of a kind: nothing unknown, nothing converted. An annotation of `Reads` marks a column's name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def references(self) -> Iterator[tuple[str, str, Reads]]:
        """(argument, column, how it is read) of each column that is named, in order."""
        for argument, reads in _reads_of(type(self)):
            value = getattr(self, argument)
            if value is None:
                continue
            for name in (value,) if isinstance(value, str) else value:
                yield argument, name, reads

    def columns(self) -> tuple[str, ...]:
        """The columns that are read, the judged one first."""
        return tuple(dict.fromkeys(name for _, name, _ in self.references()))

    def values(self) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
        """(argument, column, values) of each argument that lists values of a column."""
        for argument, field in type(self).model_fields.items():
            for reads in field.metadata:
                if isinstance(reads, ValuesOf):
                    yield argument, getattr(self, reads.argument), getattr(self, argument)

    def others(self) -> dict[str, Any]:
        """The arguments that name no column, as plain data, without those that are left out."""
        named = {argument for argument, _, _ in self.references()}
        written = self.model_dump(mode="json", exclude=named)
        return {name: value for name, value in written.items() if value is not None}


@cache
def _reads_of(model: type[Arguments]) -> tuple[tuple[str, Reads], ...]:
    """The arguments of a kind that name columns, with how those are read."""
    return tuple(
        (argument, reads)
        for argument, field in model.model_fields.items()
        for reads in field.metadata
        if isinstance(reads, Reads)
    )


class ColumnForm(Protocol):
    """Judges whole columns: True where a row is unexpected, null counts as expected."""

    def __call__(self, columns: Columns, of: Any, /) -> pl.Series: ...


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A kind of rule: what a contract may say, and how it is judged, in two ways that must agree.

    Args:
        expectation: Great Expectations' type.
        arguments: The model of its arguments.
        dimension: The standard's dimension of quality.
        message: The reason in Chinese and in English, from the arguments and the columns' Chinese names.
        unexpected: The form in columns; None where a key is compared, which `threegaps.batch.uniqueness` does.
        condition: What Great Expectations runs: of a pandas frame of the read columns (of the one column where only
            one is named) and the other arguments, which rows are as expected. None for its own expectations.
        scope: What it judges: a row by itself, a line before it has columns, keys among rows, or a batch's counters.
        reads: Columns of the scope's frame that it always reads, see `threegaps.rules.frames`.
        action: What follows unless the contract says otherwise.
        must_refuse: The feed's table cannot hold a row that it speaks against.
        names_column: A refusal names the first column that is read.
    """

    expectation: str
    arguments: type[Arguments]
    dimension: Dimension
    message: Callable[[Any, Labels], tuple[str, str]]
    unexpected: ColumnForm | None = None
    condition: Callable[..., Any] | None = None
    scope: Scope = "row"
    reads: tuple[str, ...] = ()
    action: Action = "refuse"
    must_refuse: bool = False
    names_column: bool = True

    @property
    def is_of_one_column(self) -> bool:
        """Whether it judges the values of a single column, whose missing ones it never speaks of."""
        named = [(argument, reads.form) for argument, reads in _reads_of(self.arguments)]
        if self.reads:
            return not named and len(self.reads) == 1
        return named in ([("column", "text")], [("column", "typed")])

    @property
    def other_arguments(self) -> tuple[str, ...]:
        """The arguments that name no column."""
        return tuple(
            argument
            for argument, field in self.arguments.model_fields.items()
            if not any(isinstance(mark, Reads) for mark in field.metadata)
        )


def in_words(zh: str, en: str) -> Callable[[Arguments, Labels], tuple[str, str]]:
    """A message from two templates, whose fields are arguments; columns are called by their labels or names."""

    def message(of: Arguments, labels: Labels) -> tuple[str, str]:
        named = {argument: name for argument, name, _ in of.references()}
        chinese = {argument: labels.get(name, name) for argument, name in named.items()}
        return zh.format(**chinese, **of.others()), en.format(**named, **of.others())

    return message


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a feed and what follows when it does not hold.

    Args:
        rule: Its id, unique in the feed; quarantine and ledger speak of it.
        kind: What kind of rule it is.
        arguments: The kind's arguments.
        action: ``refuse`` the row, ``warn``, or ``stop`` the batch.
        message_zh: The reason in Chinese, for the department.
        message_en: The reason in English.
        dimension: The standard's dimension of quality.
    """

    rule: str
    kind: RuleKind
    arguments: Arguments
    action: Action
    message_zh: str
    message_en: str
    dimension: Dimension

    @property
    def expectation(self) -> str:
        """Great Expectations' type."""
        return self.kind.expectation

    @property
    def columns(self) -> tuple[str, ...]:
        """The canonical columns that it reads."""
        return self.arguments.columns()

    @property
    def column(self) -> str | None:
        """The column that a refusal names."""
        columns = self.columns
        return columns[0] if columns and self.kind.names_column else None

    @property
    def configuration(self) -> dict[str, Any]:
        """What Great Expectations runs, as it stands: type, arguments on the columns of its frame, meta, description.

        ``ExpectationConfiguration(**configuration)`` takes it once `threegaps.rules.great_expectations_classes` is
        imported; the frames are those of `threegaps.rules.frames`.
        """
        kind = self.kind
        read = [
            (argument, column)
            for argument, name, reads in self.arguments.references()
            for column in _FRAME_COLUMNS[reads.form](name)
        ]
        kwargs: dict[str, Any]
        if kind.is_of_one_column and kind.reads:
            kwargs = {"column": kind.reads[0]}
        elif kind.condition is None or kind.is_of_one_column:
            kwargs = dict(read)
        else:
            kwargs = {"column_list": [*(name for _, name in read), *kind.reads]}
        return {
            "type": kind.expectation,
            "kwargs": {**kwargs, **self.arguments.others()},
            "meta": {"rule": self.rule, "action": self.action, "messageZh": self.message_zh},
            "description": f"{self.message_zh} | {self.message_en}",
        }
