"""Labels of cumulative periods, as statistical tables print them."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

import polars as pl

from threegaps.batch.normalise.text_columns import Counts, TextColumn, Texts
from threegaps.contracts.options.normalisations import PeriodLabel
from threegaps.standards.white_space import without_white_space

_QUARTER_LABEL = re.compile(r"([0-9]{4})Q?([1-4])")
_YEAR_LABEL = re.compile(r"([0-9]{4})年?")
_RANGE_LABEL = re.compile(r"([0-9]{4})年1[-—~至]([0-9]{1,2})月")
_QUARTER_WORDS = re.compile(r"([0-9]{4})年(?:第?一季度|(上半年)|(前三季度))")


def period_label(option: PeriodLabel, texts: Texts, counts: Counts) -> None:
    """Make the columns of the period's first and last day.

    A label that says no period stands in both, for their type rules to refuse.
    """
    labels = texts[option.column].texts.to_list()
    bounds = [read_period(label) if label else None for label in labels]
    counts.add("period_label", option.column, sum(bound is not None for bound in bounds))
    for index, target in enumerate((option.start_column, option.end_column)):
        read = [bound[index].isoformat() if bound else label for bound, label in zip(bounds, labels, strict=True)]
        texts[target] = TextColumn(target, pl.Series(target, read, dtype=pl.String))


@lru_cache(maxsize=1_000)
def read_period(label: str) -> tuple[dt.date, dt.date] | None:
    """First and last day of a cumulative period by its label: 20203, 2020Q3, 2014年, 2021年1-12月, 2020年前三季度."""
    text = without_white_space(label)
    if match := _QUARTER_LABEL.fullmatch(text):
        year, month = int(match[1]), 3 * int(match[2])
    elif match := _RANGE_LABEL.fullmatch(text):
        year, month = int(match[1]), int(match[2])
    elif match := _QUARTER_WORDS.fullmatch(text):
        year, month = int(match[1]), 6 if match[2] else 9 if match[3] else 3
    elif match := _YEAR_LABEL.fullmatch(text):
        year, month = int(match[1]), 12
    else:
        return None
    if not (1 <= month <= 12 and year >= dt.MINYEAR):
        return None
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return dt.date(year, 1, 1), following - dt.timedelta(days=1)
