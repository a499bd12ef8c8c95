"""Numbers as people write them, with bounds, in ranges and in units."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.batch.normalise.normalising import normalised
from threegaps.batch.normalise.bounded_number import bounded_number, read_bound
from threegaps.batch.normalise.number_range import number_range, read_range
from threegaps.batch.normalise.numerals import plain, read_numeral
from threegaps.batch.normalise.types import read_integers, read_numbers
from threegaps.batch.normalise.units import declared_unit, unit
from threegaps.batch.normalise.written_number import written_number
from threegaps.contracts.options.normalisations import (
    BoundedNumber,
    DeclaredUnit,
    NumberRange,
    Unit,
    WrittenNumber,
)

BOUNDED = BoundedNumber(kind="bounded_number", column="n", bound_column="bound")
RANGE = NumberRange(
    kind="number_range", column="wage", low_column="low", high_column="high", measure_words=("元/月", "元")
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1200", "1200"),
        ("1,200", "1200"),
        ("1，234，567.5", "1234567.5"),
        ("1.2万", "12000"),
        ("8千", "8000"),
        ("3千5百", "3500"),
        ("2亿3000万", "230000000"),
        ("5百万", "5000000"),
        ("1.5万亿", "1500000000000"),
        ("12k", "12000"),
        ("-1.2万", "-12000"),
        ("−300", "-300"),
        ("0.5 万", "5000"),
        ("64人", "64"),
        ("6万人", "60000"),
    ],
)
def test_numerals(text: str, number: str) -> None:
    assert read_numeral(text, ("人",)) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "人",
        "若干",
        "七百",
        "1万2",
        "3百5千",
        "1,20",
        "12,34,567",
        "1.2.3",
        "1e5",
        "64名",
        "6-8",
        "万",
        "--5",
        "5%",
        "1万2万",
    ],
)
def test_what_says_no_number_for_certain_is_none(text: str) -> None:
    assert read_numeral(text, ("人",)) is None


@settings(deadline=None)
@given(st.decimals(Decimal("0.0001"), Decimal("99999999.9999"), places=4), st.sampled_from(["", "千", "万", "亿"]))
def test_a_written_number_is_the_number_that_was_written(number: Decimal, scale: str) -> None:
    factor = {"": 1, "千": 1_000, "万": 10_000, "亿": 100_000_000}[scale]
    assert read_numeral(f"{number:,}{scale}") == number * factor
    assert Decimal(plain(number * factor)) == number * factor
    assert "E" not in plain(number * factor)


def test_written_numbers_become_plain_and_the_rest_stays() -> None:
    option = WrittenNumber(kind="written_number", columns=("n",), measure_words=("人",))
    texts, counts = normalised(written_number, option, {"n": ["12", "1,200", "1.2万人", "若干", "-3.50", None]})
    assert texts == {"n": ["12", "1200", "12000", "若干", "-3.50", None]}
    assert counts == {"written_number.n": 2}


@pytest.mark.parametrize(
    ("text", "number", "bound"),
    [
        ("64", "64", "exact"),
        ("1.5", "1.5", "exact"),
        ("近700", "700", "below"),
        ("接近1,200", "1,200", "below"),
        ("不足10", "10", "below"),
        ("30以内", "30", "below"),
        ("≤5", "5", "below"),
        ("64余", "64", "above"),
        ("64万余", "64万", "above"),
        ("64余万人", "64万人", "above"),
        ("300多人", "300人", "above"),
        ("超过50", "50", "above"),
        ("100人以上", "100人", "above"),
        ("50+", "50", "above"),
        ("约30", "30", "about"),
        ("30人左右", "30人", "about"),
        ("～20", "20", "about"),
        ("近 7 0 0", "700", "below"),
    ],
)
def test_bounds(text: str, number: str, bound: str) -> None:
    assert read_bound(text) == (number if bound != "exact" else text, bound)


@pytest.mark.parametrize("text", ["近100余", "约50多", "若干", "近", "余64", "6-8", "七百余", ""])
def test_no_bound_or_two_are_none(text: str) -> None:
    assert read_bound(text) == (text, None)


def test_the_number_stays_in_its_column_and_the_bound_goes_beside_it() -> None:
    texts, counts = normalised(bounded_number, BOUNDED, {"n": ["近700", "64余", "12", "若干", None]})
    assert texts == {"n": ["700", "64", "12", "若干", None], "bound": ["below", "above", "exact", None, None]}
    assert counts == {"bounded_number.n": 2}


def test_a_column_without_any_value_has_no_bound() -> None:
    texts, counts = normalised(bounded_number, BOUNDED, {"n": [None, None]})
    assert texts == {"n": [None, None], "bound": [None, None]}
    assert counts == {}


@settings(deadline=None)
@given(st.integers(1, 10**9), st.sampled_from(["近{}", "{}余", "约{}", "{}以上", "不足{}", "{}左右"]))
def test_a_bound_takes_nothing_of_the_number(number: int, form: str) -> None:
    assert read_bound(form.format(number))[0] == str(number)
    assert read_bound(form.format(f"{number:,}"))[0] == f"{number:,}"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("8千-1.2万", 8000, 12000),
        ("8000—12000元/月", 8000, 12000),
        ("8000元-12000元", 8000, 12000),
        ("8000-1.2万", 8000, 12000),
        ("6-8千", 6000, 8000),
        ("0.8～1.2万", 8000, 12000),
        ("6,000至8,000元", 6000, 8000),
        ("5千到6千", 5000, 6000),
        ("8K-12K", 8000, 12000),
        ("1.2万", 12000, 12000),
        ("5000以上", 5000, None),
        ("5000元/月以上", 5000, None),
        ("1万及以下", None, 10000),
        ("2,500元起", 2500, None),
    ],
)
def test_ranges(text: str, low: int | None, high: int | None) -> None:
    assert read_range(text, RANGE.measure_words) == (low, high)


@pytest.mark.parametrize(
    "text", ["面议", "12000-8000", "8000-12000元/天", "1-2-3", "-8000", "8千-", "约8千", "8000-12000·13薪", "以上", ""]
)
def test_what_says_no_range_for_certain_is_none(text: str) -> None:
    assert read_range(text, RANGE.measure_words) is None


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(0, 10**6), st.sampled_from(["-", "—", "——", "～", "至", "到", " - "]))
def test_a_range_has_the_ends_that_were_written(low: int, more: int, between: str) -> None:
    assert read_range(f"{low}{between}{low + more:,}元", ("元",)) == (low, low + more)


def test_a_range_makes_two_columns_and_what_is_none_is_left_for_their_type_rules() -> None:
    texts, counts = normalised(number_range, RANGE, {"wage": ["8千-1.2万", "5000以上", "八千左右", None]})
    assert texts["low"] == ["8000", "5000", "八千左右", None]
    assert texts["high"] == ["12000", None, "八千左右", None]
    assert texts["wage"] == ["8千-1.2万", "5000以上", "八千左右", None]
    assert counts == {"number_range.wage": 2}


def test_amounts_by_the_unit_beside_them() -> None:
    option = Unit(kind="unit", column="n", unit_column="u", factors={"元": 1, "万元": 10_000})
    texts, counts = normalised(
        unit,
        option,
        {"n": ["12.5", "0.000001", "-1.5", "7", "x", None], "u": ["元", "万元", "万元", "角", "万元", "万元"]},
    )
    assert texts["n"] == ["12.5", "0.01", "-15000", "7", "x", None]
    assert counts == {"unit.n": 2}


def test_amounts_by_the_unit_declared_for_their_column() -> None:
    option = DeclaredUnit(kind="declared_unit", columns=("n", "m"), unit="万元", factor=10_000)
    texts, counts = normalised(
        declared_unit, option, {"n": ["12.5", "-0.3", "若干"], "m": ["1", None, "2"], "k": ["1", "2", "3"]}
    )
    assert texts == {"n": ["125000", "-3000", "若干"], "m": ["10000", None, "20000"], "k": ["1", "2", "3"]}
    assert counts == {"declared_unit.n": 2, "declared_unit.m": 2}


@pytest.mark.parametrize(
    ("written", "in_yuan"),
    [
        ("1.50000000", "15000"),
        ("0.123456789012", "1234.56789012"),
        ("1234567890", "12345678900000"),
        ("-99999999999999999999.9", "-999999999999999999999000"),
    ],
)
def test_no_amount_is_left_in_its_unit_for_the_digits_that_it_has(written: str, in_yuan: str) -> None:
    option = DeclaredUnit(kind="declared_unit", columns=("n",), unit="万元", factor=10_000)
    texts, counts = normalised(declared_unit, option, {"n": [written]})
    assert (texts["n"], counts) == ([in_yuan], {"declared_unit.n": 1})


@settings(deadline=None)
@given(st.decimals(-99999999, 99999999, places=6))
def test_a_unit_is_exact(amount: Decimal) -> None:
    option = DeclaredUnit(kind="declared_unit", columns=("n",), unit="万元", factor=10_000)
    texts, _ = normalised(declared_unit, option, {"n": [f"{amount:f}"]})
    assert Decimal(texts["n"][0] or "") == amount * 10_000


def test_numbers_keep_to_their_precision() -> None:
    texts = pl.Series(["1.25", "1.250", "1.255", "-3", "1e3", "12345678901", None])
    assert read_numbers(texts, 12, 2).to_list() == [1.25, 1.25, None, -3.0, None, None, None]
    full_width = pl.Series(["２０", "1.２"])
    assert read_numbers(full_width, 12, 2).to_list() == [None, None]
    assert read_integers(full_width).to_list() == [None, None]
