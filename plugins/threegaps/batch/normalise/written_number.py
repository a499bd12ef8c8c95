"""Numbers as people write them, made plain digits."""

from __future__ import annotations

from threegaps.batch.normalise.numerals import plain, read_numeral
from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import WrittenNumber

_PLAIN = r"^-?[0-9]+(\.[0-9]+)?$"


def written_number(option: WrittenNumber, texts: Texts, counts: Counts) -> None:
    """Make each plain; what says no number for certain stays for the type rule."""

    def read(text: str) -> str:
        number = read_numeral(text, option.measure_words)
        return text if number is None else plain(number)

    for name in option.columns:
        column = texts[name]
        counts.add("written_number", name, column.rewrite(~column.values.str.contains(_PLAIN), read))
