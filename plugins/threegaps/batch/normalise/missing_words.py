"""Words that departments write where they have no value."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import MissingWords


def missing_words(option: MissingWords, texts: Texts, counts: Counts) -> None:
    """Make a missing value of each."""
    words = list(option.words)
    for name in option.columns or texts:
        column = texts[name]
        counts.add("missing_words", name, column.rewrite(column.values.is_in(words), lambda _: None))
