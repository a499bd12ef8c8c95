"""Codes of divisions that are not in force, and functional zones, by the row's date (GB/T 2260)."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.batch.normalise.types import read_dates
from threegaps.contracts.options.normalisations import CountyCodes
from threegaps.standards.areas import are_divisions, successor


def county_codes(option: CountyCodes, texts: Texts, counts: Counts) -> None:
    """Put the one division that such a code or zone stands for on the row's date in its place."""
    column = texts[option.column]
    strange = column.values.filter(~are_divisions(column.values, option.area_levels)).drop_nulls()
    if strange.is_empty():
        return
    codes = column.texts
    indexes = codes.is_in(strange.implode()).fill_null(value=False).arg_true()
    days = read_dates(texts[option.date_column].texts.gather(indexes)).to_list()
    moved: list[int] = []
    fresh: list[str | None] = []
    for index, code, day in zip(indexes.to_list(), codes.gather(indexes).to_list(), days, strict=True):
        new = successor(code, day)
        if new is not None:
            moved.append(index)
            fresh.append(new)
    counts.add("county_codes", option.column, column.change_rows(moved, fresh))
