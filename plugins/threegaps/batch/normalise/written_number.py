"""Numbers as people write them, made plain digits."""

from __future__ import annotations

import re

from threegaps.batch.normalise.numerals import plain, read_numeral
from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import WrittenNumber

_PLAIN = r"^-?[0-9]+(\.[0-9]+)?$"
_IS_PLAIN = re.compile(_PLAIN)


def written_number(option: WrittenNumber, texts: Texts, counts: Counts) -> None:
    """Make each plain; what says no number for certain stays for the type rule."""

    def read(text: str) -> str:
        if _IS_PLAIN.match(text):
            return text
        number = read_numeral(text, option.measure_words)
        return text if number is None else plain(number)

    for name in option.columns:
        rows = texts[name].rewrite(read, lambda values: ~values.str.contains(_PLAIN))
        counts.add("written_number", name, rows)
