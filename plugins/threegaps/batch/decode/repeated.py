"""Headers that stand among the rows once more, as where lists have been put together or are printed: the one rule.

A row is one only where each field of it says what a row of the header says at its position, and none is lacking: what
says the names of some columns is a row of data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from threegaps.batch.decode.header import Header
from threegaps.batch.decode.layout import Layout
from threegaps.standards.white_space import WHITE_SPACE_CLASS, without_white_space


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """One row of a header.

    Args:
        names: What may stand at each position, counted from 0, without white space; positions without a name are none.
    """

    names: Mapping[int, frozenset[str]]

    @classmethod
    def of_columns(cls, layout: Layout, header: Header) -> HeaderRow:
        """The only row of *header*: each column by its names on whatever day."""
        return cls(
            {
                position: frozenset(without_white_space(header.name) for header in layout.columns[name])
                for position, name in enumerate(header.canonical)
                if name is not None
            }
        )

    @classmethod
    def as_written(cls, texts: Mapping[int, str]) -> HeaderRow:
        """One row of several, whose texts are no whole names, by what stands in it."""
        cleaned = ((position, without_white_space(text)) for position, text in texts.items())
        return cls({position: frozenset({text}) for position, text in cleaned if text})

    @property
    def first_form(self) -> str:
        """The form of a first field that says a name of the first column, as a regular expression of polars."""
        space = f"[{WHITE_SPACE_CLASS}]*"
        forms = (space.join(re.escape(sign) for sign in name) for name in sorted(self.names[0]))
        return f"^{space}(?:{'|'.join(forms)}){space}$"

    def is_repeated_by(self, fields: Iterable[tuple[int, str]]) -> bool:
        """Whether *fields*, texts with their positions, say the row once more; those not given are empty."""
        found = 0
        for position, text in fields:
            cleaned = without_white_space(text)
            if not cleaned:
                continue
            if cleaned not in self.names.get(position, ()):
                return False
            found += 1
        return 0 < found == len(self.names)
