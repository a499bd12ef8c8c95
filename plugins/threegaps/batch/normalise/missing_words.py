"""Words that departments write where they have no value."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import MissingWords


def missing_words(option: MissingWords, texts: Texts, counts: Counts) -> None:
    """Make a missing value of each."""
    words = frozenset(option.words)
    for name in option.columns or texts:
        rows = texts[name].rewrite(
            lambda text: None if text in words else text, lambda values: values.is_in(list(words))
        )
        counts.add("missing_words", name, rows)
