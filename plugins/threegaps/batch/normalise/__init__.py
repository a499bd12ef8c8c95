"""The declared normalisations, each counted; nothing else is changed.

One normalisation is one function in a module of its own, which changes texts and counts the rows that it changes, by
column; :class:`Normaliser` only orders them: spaces around a text, apostrophes, full-width characters, empty texts and
missing-value words, then document numbers, labels of periods, units, dates and months, yes and no, and codes of
divisions by the row's date. Then each text is read as its column's type (`types`). What cannot be read stays as it
came, and the feed's rules speak about it.

Totals, ranks and notes are no rows and are taken out before all this (`total_rows`).
"""

from __future__ import annotations

from threegaps.batch.normalise.normaliser import Normaliser

__all__ = ["Normaliser"]
