"""The declared normalisations, each counted; nothing else is changed.

Order: structural rows out, missing-value words, apostrophes and full-width characters, document numbers, dates and
periods, units, county codes. What cannot be read stays as it came, and the feed's rules speak about it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from threegaps.batch.columns import BlockColumn, Dictionary, encode, map_texts
from threegaps.batch.texts import FULL_WIDTH, read_date, read_period
from threegaps.contracts.model import Column, Contract
from threegaps.contracts.options.normalisations import (
    DateStyles,
    FirstOfMonth,
    FullWidthDigits,
    LeadingApostrophe,
    MissingWords,
)
from threegaps.standards.areas import codes_in_force, successor
from threegaps.standards.identifiers import RESIDENT_CARD, canonical_resident_id, is_scientific

_TIMESTAMP_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")


class Normaliser:
    """Applies one contract's declared normalisations to its blocks and counts what it did."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.counts: Counter[str] = Counter()
        self._missing: set[str] = set()
        self._full_width: set[str] = set()
        self._apostrophe: set[str] = set()
        self._dates: set[str] = set()
        self._months: set[str] = set()
        for declared in contract.normalisations:
            match declared:
                case MissingWords():
                    self._missing |= set(declared.words) - {""}
                case FullWidthDigits():
                    self._full_width |= set(declared.columns)
                case LeadingApostrophe():
                    self._apostrophe |= set(declared.columns)
                case DateStyles():
                    self._dates |= set(declared.columns)
                case FirstOfMonth():
                    self._months.add(declared.column)

    def structural(self, frame: pl.DataFrame) -> tuple[pl.Series | None, Counter[str]]:
        """Rows that are totals, ranks or notes by the contract (None if there are none), and how many by reason."""
        found: pl.Series | None = None
        reasons: Counter[str] = Counter()
        for declared in self.contract.normalisations_of("total_rows"):
            for name in declared.columns:
                matches = frame[name].str.replace_all(r"\s", "").str.contains(declared.regex).fill_null(value=False)
                if matches.any():
                    fresh = matches if found is None else matches & ~found
                    reasons[declared.reason] += int(fresh.sum())
                    found = matches if found is None else found | matches
        return found, reasons

    def columns(self, frame: pl.DataFrame) -> dict[str, BlockColumn]:
        """The block's columns, normalised and typed."""
        texts: dict[str, pl.Series] = {}
        dictionaries: dict[str, Dictionary | None] = {}
        for column in self.contract.columns:
            if column.name not in frame.columns:
                continue
            texts[column.name], dictionaries[column.name] = self._cleaned(column, frame[column.name])
        self._document_numbers(texts, dictionaries)
        self._periods(texts, dictionaries, frame.height)
        built: dict[str, BlockColumn] = {}
        for column in self.contract.columns:
            if column.logical_type != "number":
                built[column.name] = self._typed(column, texts[column.name], dictionaries[column.name])
        for column in self.contract.columns:
            if column.logical_type == "number":
                text = self._in_base_unit(column, texts[column.name], built)
                dictionary = dictionaries[column.name] if text is texts[column.name] else None
                built[column.name] = self._typed(column, text, dictionary)
        self._counties(built)
        return {column.name: built[column.name] for column in self.contract.columns}

    def _cleaned(self, column: Column, texts: pl.Series) -> tuple[pl.Series, Dictionary | None]:
        dictionary = encode(texts)
        values = texts if dictionary is None else dictionary.values
        replaced = self._replacements(column.name, values)
        if not replaced:
            return texts, dictionary
        places, fresh, kinds = zip(*replaced, strict=True)
        if dictionary is None:
            for kind in kinds:
                self._count(kind, column.name, 1)
            return texts.scatter(list(places), pl.Series(fresh, dtype=pl.String)), None
        frequencies = np.bincount(dictionary.codes, minlength=len(values))
        for place, kind in zip(places, kinds, strict=True):
            self._count(kind, column.name, int(frequencies[place]))
        cleaned = values.clone().scatter(list(places), pl.Series(fresh, dtype=pl.String))
        row_texts = cleaned.gather(pl.Series(dictionary.codes))
        # Two spellings may now be one value: the dictionary is made anew.
        return row_texts, encode(row_texts)

    def _replacements(self, name: str, values: pl.Series) -> list[tuple[int, str | None, str]]:
        """(place, new text, kind) of each value that a declared clean-up changes."""
        suspicious = values.str.len_bytes() == 0
        suspicious |= values.str.contains(r"^['‘’]|^\s|\s$")
        if self._missing:
            suspicious |= values.is_in(list(self._missing))
        if name in self._full_width:
            suspicious |= values.str.len_bytes() != values.str.len_chars()
        places = suspicious.fill_null(value=False).arg_true().to_list()
        changed: list[tuple[int, str | None, str]] = []
        for place in places:
            old = values[place]
            new, kind = self._clean(name, old)
            if kind is not None and new != old:
                changed.append((place, new, kind))
        return changed

    def _clean(self, name: str, text: str) -> tuple[str | None, str | None]:
        kind: str | None = None
        new = text.strip()
        if new != text:
            kind = "surrounding_space"
        if name in self._apostrophe and new[:1] in {"'", "‘", "’"}:
            new, kind = new[1:], "leading_apostrophe"
        if name in self._full_width:
            narrow = new.translate(FULL_WIDTH)
            if narrow != new:
                new, kind = narrow, "full_width_digits"
        if new == "":
            return None, "empty"
        if new in self._missing:
            return None, "missing_words"
        return new, kind

    def _count(self, kind: str, name: str, rows: int) -> None:
        if kind != "empty":
            self.counts[f"{kind}.{name}"] += rows

    def _document_numbers(self, texts: dict[str, pl.Series], dictionaries: dict[str, Dictionary | None]) -> None:
        for declared in self.contract.normalisations_of("resident_id"):
            name = declared.column
            series, types = texts[name], texts[declared.type_column]
            unusual = (series.str.len_bytes() != 18) | series.str.ends_with("x")
            places = (unusual & (types == RESIDENT_CARD)).fill_null(value=False).arg_true()
            fresh: list[str] = []
            moved: list[int] = []
            for place, text in zip(places.to_list(), series.gather(places).to_list(), strict=True):
                new, kind = canonical_resident_id(text)
                if kind is not None and not is_scientific(text):
                    moved.append(place)
                    fresh.append(new)
                    self.counts[f"{kind}.{name}"] += 1
            if moved:
                texts[name] = series.scatter(moved, pl.Series(fresh))
                dictionaries[name] = None if dictionaries[name] is None else encode(texts[name])

    def _periods(self, texts: dict[str, pl.Series], dictionaries: dict[str, Dictionary | None], rows: int) -> None:
        for declared in self.contract.normalisations_of("period_label"):
            labels = texts[declared.column].to_list()
            bounds = [read_period(label) if label else None for label in labels]
            self.counts[f"period_label.{declared.column}"] += sum(bound is not None for bound in bounds)
            for index, target in enumerate((declared.start_column, declared.end_column)):
                # A label that says no period is left for the column's type rule to refuse.
                read = [
                    bound[index].isoformat() if bound else label for bound, label in zip(bounds, labels, strict=True)
                ]
                texts[target] = pl.Series(target, read, dtype=pl.String)
                dictionaries[target] = encode(texts[target])

    def _typed(self, column: Column, text: pl.Series, dictionary: Dictionary | None) -> BlockColumn:
        if column.logical_type == "string":
            return BlockColumn(column.name, text, text, dictionary, None if dictionary is None else dictionary.values)
        function = self._type_function(column, dictionary)
        typed, values = map_texts(text, dictionary, function)
        return BlockColumn(column.name, text, typed, dictionary, values)

    def _type_function(self, column: Column, dictionary: Dictionary | None) -> Callable[[pl.Series], pl.Series]:
        match column.logical_type:
            case "date":
                return lambda values: self._read_dates(column, values, dictionary)
            case "timestamp":
                return read_timestamps
            case "boolean":
                return lambda values: read_booleans(values, self._boolean_words(column.name))
            case "integer":
                return read_integers
            case _:
                return lambda values: read_numbers(values, *precision(column.sql_type))

    def _read_dates(self, column: Column, values: pl.Series, dictionary: Dictionary | None) -> pl.Series:
        any_style, is_month = column.name in self._dates, column.name in self._months
        read: list[dt.date | None] = []
        frequencies = None if dictionary is None else np.bincount(dictionary.codes, minlength=len(values))
        for place, text in enumerate(values.to_list()):
            day, style = (None, None) if text is None else read_date(text, any_style=any_style, is_month=is_month)
            if style is not None:
                self.counts[f"{style}.{column.name}"] += 1 if frequencies is None else int(frequencies[place])
            read.append(day)
        return pl.Series(column.name, read, dtype=pl.Date)

    def _boolean_words(self, name: str) -> tuple[str, str]:
        for declared in self.contract.normalisations_of("boolean_words"):
            if declared.column == name:
                return declared.true, declared.false
        return "1", "0"

    def _in_base_unit(self, column: Column, text: pl.Series, built: Mapping[str, BlockColumn]) -> pl.Series:
        for declared in self.contract.normalisations_of("unit"):
            if declared.column != column.name:
                continue
            units = built[declared.unit_column].text
            for unit, factor in declared.factors.items():
                if factor == 1:
                    continue
                rows = ((units == unit) & text.str.contains(r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$")).fill_null(value=False)
                if rows.any():
                    self.counts[f"unit.{column.name}"] += int(rows.sum())
                    text = _where(rows, _multiplied(text, factor), text)
        return text

    def _counties(self, built: dict[str, BlockColumn]) -> None:
        for declared in self.contract.normalisations_of("county_codes"):
            name = declared.column
            column, days = built[name], built[declared.date_column].typed
            in_force = codes_in_force(declared.area_levels)
            values = column.text if column.dictionary is None else column.dictionary.values
            strange = values.filter(~values.is_in(list(in_force))).drop_nulls()
            if strange.is_empty():
                continue
            places = column.text.is_in(strange.implode()).fill_null(value=False).arg_true()
            fresh: list[str] = []
            moved: list[int] = []
            for place, text, day in zip(
                places.to_list(), column.text.gather(places).to_list(), days.gather(places).to_list(), strict=True
            ):
                new = successor(text, day)
                if new is not None:
                    moved.append(place)
                    fresh.append(new)
            if moved:
                self.counts[f"county_codes.{name}"] += len(moved)
                text = column.text.clone().scatter(moved, pl.Series(fresh))
                dictionary = encode(text)
                built[name] = BlockColumn(
                    name, text, text, dictionary, None if dictionary is None else dictionary.values
                )


def precision(sql_type: str) -> tuple[int, int]:
    """Digits in all and after the point of ``numeric(p,s)``."""
    digits, _, scale = sql_type.removeprefix("numeric(").removesuffix(")").partition(",")
    return int(digits), int(scale)


def read_numbers(values: pl.Series, digits: int, scale: int) -> pl.Series:
    """Decimal numbers with at most *scale* digits after the point that count; anything else becomes null."""
    form = rf"^-?[0-9]{{1,{digits - scale}}}(\.[0-9]{{1,{scale}}}0*)?$"
    fits = values.str.contains(form)
    if not fits.all():
        values = _where(
            fits.fill_null(value=False),
            values,
            pl.Series([None], dtype=pl.String).extend_constant(None, len(values) - 1),
        )
    return values.cast(pl.Float64, strict=False)


def read_integers(values: pl.Series) -> pl.Series:
    """Whole numbers within 32 bits; anything else becomes null."""
    return values.str.strip_suffix(".0").cast(pl.Int32, strict=False)


def read_booleans(values: pl.Series, words: tuple[str, str]) -> pl.Series:
    """Yes and no by the words declared for them; anything else becomes null."""
    return values.replace_strict({words[0]: True, words[1]: False}, default=None, return_dtype=pl.Boolean)


def read_timestamps(values: pl.Series) -> pl.Series:
    """Wall-clock times ``YYYY-MM-DD HH:MM:SS``; anything else becomes null."""
    read = values.str.to_datetime(_TIMESTAMP_FORMATS[0], time_unit="us", strict=False)
    if read.null_count() > values.null_count():
        read = read.fill_null(values.str.to_datetime(_TIMESTAMP_FORMATS[1], time_unit="us", strict=False))
    return read


def _multiplied(text: pl.Series, factor: int) -> pl.Series:
    """Texts of up to six decimals times *factor*, in exact integer arithmetic."""
    millionths = (text.cast(pl.Float64, strict=False) * 1_000_000).round(0).cast(pl.Int64, strict=False) * factor
    sign = pl.when(pl.col("m") < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole, rest = pl.col("m").abs() // 1_000_000, pl.col("m").abs() % 1_000_000
    written = pl.format("{}{}.{}", sign, whole, rest.cast(pl.String).str.zfill(6))
    product = pl.DataFrame({"m": millionths}).select(
        written.str.strip_chars_end("0").str.strip_suffix(".").alias(text.name)
    )
    return product.to_series()


def _where(mask: pl.Series, yes: pl.Series, no: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"mask": mask, "yes": yes, "no": no})
    return frame.select(pl.when("mask").then("yes").otherwise("no").alias(no.name)).to_series()
