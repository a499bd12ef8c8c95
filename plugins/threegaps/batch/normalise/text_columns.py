"""A block's columns while they are still text: what normalisations read, change and count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from threegaps.batch.columns import Dictionary, encode


class Counts(Counter[str]):
    """Rows that were changed, by ``normalisation.column``; the ledger keeps them with the batch."""

    def add(self, normalisation: str, column: str, rows: int) -> None:
        """Note that *normalisation* has changed *rows* rows of *column*."""
        if rows:
            self[f"{normalisation}.{column}"] += rows


_FEW = 300
"""So many values are looked at sooner one by one than all at once: an operation on a column has a price of its own."""


class TextColumn:
    """One column's texts; where values repeat, each different one is looked at once."""

    def __init__(self, name: str, texts: pl.Series) -> None:
        self.name = name
        self._set(texts.alias(name))

    def _set(self, texts: pl.Series) -> None:
        self._texts: pl.Series | None = texts
        self._dictionary = encode(texts)
        self._may_repeat = False
        self._few: list[str | None] | None = None
        self._frequencies: np.ndarray[tuple[int], np.dtype[np.intp]] | None = None

    @property
    def values(self) -> pl.Series:
        """The different texts; all of them where they hardly repeat."""
        return self.texts if self._dictionary is None else self._dictionary.values

    @property
    def texts(self) -> pl.Series:
        """Each row's text."""
        if self._texts is None:
            assert self._dictionary is not None  # noqa: S101  # only values of a dictionary are changed apart
            self._texts = self._dictionary.values.gather(pl.Series(self._dictionary.codes)).alias(self.name)
        return self._texts

    @property
    def dictionary(self) -> Dictionary | None:
        """Different texts and each row's index among them; None where they hardly repeat."""
        if self._may_repeat:
            # Two spellings may have become one value: the dictionary is made anew.
            if self._dictionary is not None and self._dictionary.values.n_unique() < len(self._dictionary.values):
                self._set(self.texts)
            self._may_repeat = False
        return self._dictionary

    def rows_of(self, indexes: Sequence[int]) -> int:
        """How many rows have one of the values at *indexes*."""
        if self._dictionary is None:
            return len(indexes)
        if self._frequencies is None:
            self._frequencies = np.bincount(self._dictionary.codes, minlength=len(self._dictionary.values))
        return int(self._frequencies[list(indexes)].sum())

    def change_values(self, indexes: Sequence[int], texts: Sequence[str | None]) -> int:
        """Put *texts* in place of the values at *indexes*; how many rows that changes."""
        if not indexes:
            return 0
        rows = self.rows_of(indexes)
        changed = self.values.clone().scatter(list(indexes), pl.Series(texts, dtype=pl.String))
        if self._dictionary is None:
            self._texts = changed
        else:
            self._dictionary = Dictionary(changed, self._dictionary.codes)
            self._texts = None
            self._few = None
            self._may_repeat = True
        return rows

    def change_rows(self, indexes: Sequence[int], texts: Sequence[str | None]) -> int:
        """Put *texts* in the rows at *indexes*; how many they are."""
        if indexes:
            self.change_all(self.texts.clone().scatter(list(indexes), pl.Series(texts, dtype=pl.String)))
        return len(indexes)

    def change_all(self, texts: pl.Series) -> None:
        """Put *texts* in place of every row's."""
        self._set(texts.alias(self.name))

    def rewrite(self, function: Callable[[str], str | None], suspicious: Callable[[pl.Series], pl.Series]) -> int:
        """Put what *function* makes of each value in its place; how many rows that changes.

        Args:
            function: The new text of a value; the same text where nothing is to be done.
            suspicious: A mask over a series of values, null counting as no, outside of which *function* does nothing:
                many values are looked at in a column first, a few at once one by one.
        """
        if self._dictionary is not None and len(self._dictionary.values) <= _FEW:
            if self._few is None:
                self._few = self._dictionary.values.to_list()
            chosen = [(index, old) for index, old in enumerate(self._few) if old is not None]
        else:
            indexes = suspicious(self.values).fill_null(value=False).arg_true()
            chosen = list(zip(indexes.to_list(), self.values.gather(indexes).to_list(), strict=True))
        moved: list[int] = []
        fresh: list[str | None] = []
        for index, old in chosen:
            new = function(old)
            if new != old:
                moved.append(index)
                fresh.append(new)
        return self.change_values(moved, fresh)


Texts = dict[str, TextColumn]
"""A block's columns by name."""
