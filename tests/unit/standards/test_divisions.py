"""Codes of Zhejiang's divisions, and of those elsewhere where a contract takes them."""

from __future__ import annotations

import polars as pl
import pytest

from threegaps.standards.areas import are_divisions, is_division

ZHEJIANG, ELSEWHERE = ("county",), ("county", "elsewhere")


@pytest.mark.parametrize(
    ("code", "in_zhejiang", "with_elsewhere"),
    [
        ("330106", True, True),
        ("330104", False, False),
        ("339999", False, False),
        ("341522", False, True),
        ("110101", False, True),
        ("810000", False, True),
        ("990101", False, False),
        ("100101", False, False),
        ("34152", False, False),
        ("3415222", False, False),
        ("341522 ", False, False),
        ("341522\n", False, False),
        ("３４１５２２", False, False),
    ],
)
def test_a_division_is_told_from_what_is_none(code: str, *, in_zhejiang: bool, with_elsewhere: bool) -> None:
    assert is_division(code, ZHEJIANG) is in_zhejiang
    assert is_division(code, ELSEWHERE) is with_elsewhere
    codes = pl.Series([code])
    assert are_divisions(codes, ZHEJIANG).to_list() == [in_zhejiang]
    assert are_divisions(codes, ELSEWHERE).to_list() == [with_elsewhere]


def test_what_is_missing_is_not_judged() -> None:
    assert are_divisions(pl.Series([None, "341522"]), ELSEWHERE).to_list() == [None, True]


@pytest.mark.parametrize(
    ("code", "is_own"), [("339900", True), ("330199", True), ("331199", True), ("331299", False), ("330100", False)]
)
def test_own_levels_of_the_province_and_its_cities_are_taken_where_a_contract_says_so(
    code: str, *, is_own: bool
) -> None:
    assert is_division(code, ("county", "own_level")) is is_own
    assert not is_division(code, ("county", "elsewhere"))
