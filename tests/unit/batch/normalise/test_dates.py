"""Days in the styles of departments, months, and labels of periods."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.batch.normalise.normalising import normalised
from threegaps.batch.normalise.date_styles import date_styles
from threegaps.batch.normalise.first_of_month import first_of_month
from threegaps.batch.normalise.period_label import period_label, read_period
from threegaps.batch.normalise.types import read_dates
from threegaps.contracts.options.normalisations import DateStyles, FirstOfMonth, PeriodLabel

STYLES = DateStyles(kind="date_styles", columns=("a",))
MONTHS = FirstOfMonth(kind="first_of_month", column="a")
LABELS = PeriodLabel(kind="period_label", column="label", start_column="first", end_column="last")


@pytest.mark.parametrize(
    ("text", "expected", "style"),
    [
        ("2025-06-01", "2025-06-01", None),
        ("2025-06-01 00:00:00", "2025-06-01 00:00:00", None),
        ("20250601", "2025-06-01", "date_compact"),
        ("2025/6/1", "2025-06-01", "date_slashed"),
        ("2025.06.01", "2025-06-01", "date_slashed"),
        ("2025-6-1", "2025-06-01", "date_slashed"),
        ("2025/6/1 0:00:00", "2025-06-01", "date_slashed"),
        ("2025年6月", "2025-06-01", "date_chinese"),
        ("2025年6月3日", "2025-06-03", "date_chinese"),
        ("45809", "2025-06-01", "date_excel_serial"),
        ("45809.0", "2025-06-01", "date_excel_serial"),
        ("20250230", "20250230", None),
        ("2025-02-30", "2025-02-30", None),
        ("2025/6/1 8:30", "2025/6/1 8:30", None),
        ("1", "1", None),
        ("99999", "99999", None),
    ],
)
def test_date_styles(text: str, expected: str, style: str | None) -> None:
    texts, counts = normalised(date_styles, STYLES, {"a": [text, None], "b": [text, text]})
    assert texts == {"a": [expected, None], "b": [text, text]}
    assert counts == ({} if style is None else {f"{style}.a": 1})


@settings(deadline=None)
@given(st.dates(dt.date(1955, 1, 1), dt.date(2099, 12, 31)))
def test_every_style_of_a_day_is_that_day(day: dt.date) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    written = [
        f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day}", f"{day.year}-{day.month}-{day.day}",
        f"{day.year}年{day.month}月{day.day}日", f"{day.year}.{day.month:02d}.{day.day:02d}", f"{serial}",
    ]  # fmt: skip
    texts, _ = normalised(date_styles, STYLES, {"a": [*written]})
    assert read_dates(pl.Series(texts["a"])).to_list() == [day] * len(written)


@pytest.mark.parametrize("text", ["２０２５-06-01", "２０２５0601", "٢٠٢٥/6/1", "２０２５年6月", "４５８０９"])
def test_digits_of_other_scripts_are_none_before_they_are_declared_and_made_plain(text: str) -> None:
    texts, counts = normalised(date_styles, STYLES, {"a": [text]})
    months, _ = normalised(first_of_month, MONTHS, {"a": [text]})
    assert texts == months == {"a": [text]}
    assert counts == {}
    assert read_dates(pl.Series([text])).to_list() == [None]
    assert read_period(text) is None


def test_only_iso_days_are_days() -> None:
    read = read_dates(
        pl.Series(["2025-06-01", "2025-06-01T00:00:00.0", "2025-6-1", "2025-02-29", "2025-06-01 08:00:00"])
    )
    assert read.to_list() == [dt.date(2025, 6, 1), dt.date(2025, 6, 1), None, None, None]


def test_months_are_their_first_day() -> None:
    written: list[str | None] = ["202506", "2025-06", "2025-06-17", "2025-06-01", "202513", "2025", None]
    texts, counts = normalised(first_of_month, MONTHS, {"a": written})
    assert texts["a"] == ["2025-06-01", "2025-06-01", "2025-06-01", "2025-06-01", "202513", "2025", None]
    assert counts == {"first_of_month.a": 3}


@pytest.mark.parametrize(
    ("label", "end"),
    [
        ("20203", "2020-09-30"),
        ("2020Q3", "2020-09-30"),
        ("2014年", "2014-12-31"),
        ("2021年1-12月", "2021-12-31"),
        ("2024年1—9月", "2024-09-30"),
        ("2023 年 上半年", "2023-06-30"),
        ("2020年前三季度", "2020-09-30"),
    ],
)
def test_period_labels_are_cumulative(label: str, end: str) -> None:
    texts, counts = normalised(period_label, LABELS, {"label": [label, None]})
    assert texts == {"label": [label, None], "first": [f"{end[:4]}-01-01", None], "last": [end, None]}
    assert counts == {"period_label.label": 1}


@pytest.mark.parametrize("label", ["近三年", "20205", "2021年1-13月", "0000"])
def test_a_label_that_says_no_period_is_left_for_the_type_rules(label: str) -> None:
    texts, counts = normalised(period_label, LABELS, {"label": [label]})
    assert texts == {"label": [label], "first": [label], "last": [label]}
    assert counts == {}
