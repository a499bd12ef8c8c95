"""Numbers of resident identity cards in their canonical form (GB 11643)."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import ResidentId
from threegaps.standards.identifiers import RESIDENT_CARD, RESIDENT_ID_LENGTH, canonical_resident_id


def resident_id(option: ResidentId, texts: Texts, counts: Counts) -> None:
    """Fifteen digits to eighteen, x to X, where the document is a resident card; each counted by its kind."""
    column = texts[option.column]
    numbers, kinds = column.texts, texts[option.type_column].texts
    unusual = (numbers.str.len_bytes() != RESIDENT_ID_LENGTH) | numbers.str.ends_with("x")
    indexes = (unusual & (kinds == RESIDENT_CARD)).fill_null(value=False).arg_true()
    moved: list[int] = []
    fresh: list[str | None] = []
    for index, text in zip(indexes.to_list(), numbers.gather(indexes).to_list(), strict=True):
        new, kind = canonical_resident_id(text)
        if kind is not None:
            moved.append(index)
            fresh.append(new)
            counts.add(kind, option.column, 1)
    column.change_rows(moved, fresh)
