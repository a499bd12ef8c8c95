"""One normalisation by itself: columns of texts in, texts and counts out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from threegaps.batch.normalise.text_columns import Counts, TextColumn, Texts

Values = list[str | None]


def normalised(
    function: Callable[..., None], option: Any, columns: dict[str, Values], **more: Any
) -> tuple[dict[str, Values], dict[str, int]]:
    """What a normalisation makes of *columns*, and what it counts.

    Each column is tried with and without repeated values: they are looked at in different ways.
    """
    texts, counts = _run(function, option, columns, 1, **more)
    many_texts, many_counts = _run(function, option, columns, 3, **more)
    assert many_counts == {name: 3 * rows for name, rows in counts.items()}
    assert many_texts == {name: values * 3 for name, values in texts.items()}
    return texts, counts


def _run(
    function: Callable[..., None], option: Any, columns: dict[str, Values], times: int, **more: Any
) -> tuple[dict[str, Values], dict[str, int]]:
    texts: Texts = {
        name: TextColumn(name, pl.Series(name, values * times, dtype=pl.String)) for name, values in columns.items()
    }
    counts = Counts()
    function(option, texts, counts, **more)
    for column in texts.values():
        dictionary = column.dictionary
        if dictionary is not None:
            spread = dictionary.values.gather(pl.Series(dictionary.codes))
            assert spread.to_list() == column.texts.to_list()
            assert dictionary.values.n_unique() == len(dictionary.values)
            assert dictionary.values[-1] is None
    return {name: column.texts.to_list() for name, column in texts.items()}, dict(counts)
