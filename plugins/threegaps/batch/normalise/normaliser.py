"""The order of a contract's normalisations, and how a block goes through them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.batch.normalise.bounded_number import bounded_number
from threegaps.batch.normalise.coordinates import coordinates
from threegaps.batch.normalise.county_codes import county_codes
from threegaps.batch.normalise.county_names import county_names
from threegaps.batch.normalise.date_styles import date_styles
from threegaps.batch.normalise.first_of_month import first_of_month
from threegaps.batch.normalise.full_width_digits import full_width_digits
from threegaps.batch.normalise.leading_apostrophe import leading_apostrophe
from threegaps.batch.normalise.missing_words import missing_words
from threegaps.batch.normalise.number_range import number_range
from threegaps.batch.normalise.period_label import period_label
from threegaps.batch.normalise.resident_id import resident_id
from threegaps.batch.normalise.spaces import empty_texts, surrounding_spaces
from threegaps.batch.normalise.text_columns import Counts, TextColumn, Texts
from threegaps.batch.normalise.total_rows import Needed, total_rows
from threegaps.batch.normalise.types import typed_column
from threegaps.batch.normalise.units import declared_unit, unit
from threegaps.batch.normalise.written_number import written_number
from threegaps.contracts.model import Contract
from threegaps.rules.kinds.text_of_type import PLAIN_WORDS

CLEANING: dict[str, Callable[[Any, Texts, Counts], None]] = {
    "leading_apostrophe": leading_apostrophe,
    "full_width_digits": full_width_digits,
}
"""What makes a text plain, before it is seen whether anything is left of it; in this order."""

READING: dict[str, Callable[[Any, Texts, Counts], None]] = {
    "missing_words": missing_words,
    "resident_id": resident_id,
    "period_label": period_label,
    "number_range": number_range,
    "bounded_number": bounded_number,
    "written_number": written_number,
    "unit": unit,
    "declared_unit": declared_unit,
    "coordinates": coordinates,
    "date_styles": date_styles,
    "first_of_month": first_of_month,
    "county_names": partial(county_names, last_day=None),
    "county_codes": county_codes,
}
"""What reads a plain text, in this order: divisions last, because they go by the row's date."""

ELSEWHERE = frozenset({"total_rows", "boolean_words"})
"""Those that make no texts of texts: rows that are none, and words that a type is read by."""


class Normaliser:
    """Applies one contract's declared normalisations to its blocks and counts what it did.

    Args:
        contract: The feed's contract.
        last_day: The last day of the delivery, by which names hold that stand there without a date of their own; None
            where only the rows as they were sent are wanted.
    """

    def __init__(self, contract: Contract, last_day: dt.date | None = None) -> None:
        self.contract = contract
        self.counts = Counts()
        self._cleaning = _declared(contract, CLEANING)
        self._reading = _declared(contract, READING | {"county_names": partial(county_names, last_day=last_day)})
        self._totals = contract.normalisations_of("total_rows")
        self._needed = _needed(contract)
        self._words = contract.boolean_words

    def structural(self, frame: pl.DataFrame, unread: Mapping[str, pl.Series] | None = None) -> pl.Series | None:
        """By row why it is no data, a total, a rank or a note, and null where it is; None where all are.

        Args:
            frame: The rows as they were sent.
            unread: By column the rows whose value could not be had.
        """
        return total_rows(self._totals, self._needed, frame, self._read_uncounted, unread)

    def columns(self, frame: pl.DataFrame) -> dict[str, BlockColumn]:
        """The block's columns, normalised and typed."""
        texts = self._read(frame, self.counts)
        built = {
            column.name: typed_column(column, texts[column.name], self._words.get(column.name, PLAIN_WORDS))
            for column in self.contract.columns
        }
        for name in self._words:
            self.counts.add("boolean_words", name, built[name].typed.count())
        return built

    def _read(self, frame: pl.DataFrame, counts: Counts) -> Texts:
        """The texts of *frame*'s rows, normalised."""
        texts: Texts = {
            column.name: TextColumn(column.name, frame[column.name])
            for column in self.contract.columns
            if column.name in frame.columns
        }
        surrounding_spaces(texts, counts)
        for normalise in self._cleaning:
            normalise(texts, counts)
        empty_texts(texts)
        for normalise in self._reading:
            normalise(texts, counts)
        return texts

    def _read_uncounted(self, frame: pl.DataFrame) -> dict[str, pl.Series]:
        """The same, of rows that may be none: by the columns that were sent."""
        texts = self._read(frame, Counts())
        return {name: texts[name].texts for name in frame.columns}


def _needed(contract: Contract) -> Needed:
    """What a row must have of its own: what comes from the file's or the sheet's name every row has, a total too.

    Where a name becomes a code only by the delivery's day, its form says nothing yet.
    """
    forms = {
        rule.columns[0]: rule.arguments.others()["regex"]
        for rule in contract.rules
        if rule.expectation == "expect_column_values_to_match_regex"
    }
    named = {option.column for option in contract.normalisations_of("county_names")}
    own = {column.name for column in contract.columns if column.source_name and column.origin is None}
    return Needed(
        {name: None if name in named else forms.get(name) for name in contract.key if name in own},
        [column.name for column in contract.columns if column.required and column.name in own - set(contract.key)],
    )


def _declared(
    contract: Contract, functions: dict[str, Callable[[Any, Texts, Counts], None]]
) -> list[Callable[[Texts, Counts], None]]:
    return [
        partial(function, option) for kind, function in functions.items() for option in contract.normalisations_of(kind)
    ]
