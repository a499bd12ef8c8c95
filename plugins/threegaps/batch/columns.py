"""A block's columns as text and as typed values, with a dictionary where values repeat.

Most columns of a feed hold few different values (codes, months, counties): what is true of a value is worked out once
for each value and then looked up for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.standards.identifiers import ResidentIds, judge_resident_ids

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

LARGEST_DICTIONARY = 20_000
_SAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Different values of a column, a missing one last, and each row's place among them."""

    values: pl.Series
    codes: Codes


def encode(texts: pl.Series) -> Dictionary | None:
    """The dictionary of *texts*; None where values hardly repeat."""
    rows = len(texts)
    if rows > 4 * _SAMPLE and texts.slice(rows // 2, _SAMPLE).n_unique() > _SAMPLE * 3 // 4:
        return None
    values = texts.drop_nulls().unique()
    if len(values) > LARGEST_DICTIONARY:
        return None
    physical = texts.cast(pl.Enum(values)).to_physical().cast(pl.Int32).fill_null(len(values))
    return Dictionary(values.extend(pl.Series([None], dtype=pl.String)), physical.to_numpy())


@dataclass(slots=True)
class BlockColumn:
    """One column of a block: ``text`` after normalisation, ``typed`` by the contract's logical type."""

    name: str
    text: pl.Series
    typed: pl.Series
    dictionary: Dictionary | None = None
    typed_values: pl.Series | None = None
    _resident_ids: ResidentIds | None = None

    def resident_ids(self) -> ResidentIds:
        """What the texts say as resident identity numbers, worked out once."""
        if self._resident_ids is None:
            self._resident_ids = judge_resident_ids(self.text)
        return self._resident_ids

    def judge_texts(self, judge: Callable[[pl.Series], pl.Series]) -> pl.Series:
        """The rows whose text *judge* finds, worked out on the dictionary where there is one."""
        if self.dictionary is None:
            return judge(self.text)
        found = judge(self.dictionary.values)
        if not found.any():
            return pl.repeat(value=False, n=len(self.text), dtype=pl.Boolean, eager=True)
        return found.gather(pl.Series(self.dictionary.codes))


def map_texts(
    texts: pl.Series, dictionary: Dictionary | None, function: Callable[[pl.Series], pl.Series]
) -> tuple[pl.Series, pl.Series | None]:
    """*function* of the column, worked out on the dictionary where there is one.

    Returns:
        The column for each row, and for each value of the dictionary.
    """
    if dictionary is None:
        return function(texts), None
    values = function(dictionary.values)
    return values.gather(pl.Series(dictionary.codes)), values


def spread(dictionaries: Sequence[Dictionary]) -> tuple[list[pl.Series], Codes]:
    """Every combination of the dictionaries' places, and each row's combination."""
    codes = np.zeros(len(dictionaries[0].codes), dtype=np.int32)
    size = 1
    for dictionary in dictionaries:
        codes = codes * np.int32(len(dictionary.values)) + dictionary.codes
        size *= len(dictionary.values)
    places = np.arange(size, dtype=np.int32)
    combined: list[pl.Series] = []
    for dictionary in reversed(dictionaries):
        places, own = np.divmod(places, np.int32(len(dictionary.values)))
        combined.append(pl.Series(own))
    combined.reverse()
    return combined, codes
