"""Identifiers, areas, dates and pseudonyms by themselves."""

from __future__ import annotations

import datetime as dt
import hmac

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threegaps.batch.pseudonym import PseudonymKey, pseudonyms
from threegaps.errors import SettingsError
from threegaps.standards.areas import codes_in_force, successor
from threegaps.standards.by_value import birth_in, is_credit_code
from threegaps.standards.identifiers import (
    canonical_resident_id,
    is_scientific,
    judge_credit_codes,
    judge_resident_ids,
)


@pytest.mark.parametrize(
    ("number", "is_valid"), [("360426199101010071", True), ("230307196304054513", False), ("33990019900230001X", False)]
)
def test_resident_id(number: str, is_valid: bool) -> None:
    assert (birth_in(number) is not None) is is_valid
    assert judge_resident_ids(pl.Series([number])).is_valid.tolist() == [is_valid]


@pytest.mark.parametrize(("code", "is_valid"), [("91350100M000100Y43", True), ("91350211M0000XUF46", False)])
def test_credit_code(code: str, is_valid: bool) -> None:
    assert is_credit_code(code) is is_valid
    assert judge_credit_codes(pl.Series([code])).tolist() == [is_valid]


@pytest.mark.parametrize(
    ("code", "day", "expected"),
    [
        ("330103", "2020-01-01", "330105"),
        ("330104", "2020-01-01", None),
        ("330183", "1990-01-01", None),
        ("330183", "2010-01-01", "330111"),
        ("金义新区", "2020-01-01", "330703"),
        ("钱塘新区", "2020-01-01", None),
        ("钱塘新区", "2022-01-01", "330114"),
        ("嘉兴经济技术开发区", "2022-01-01", None),
        ("999999", "2022-01-01", None),
    ],
)
def test_old_code_or_zone_on_a_date(code: str, day: str, expected: str | None) -> None:
    assert successor(code, dt.date.fromisoformat(day)) == expected


def test_ninety_counties() -> None:
    assert len(codes_in_force()) == 90
    assert len(codes_in_force(("county", "city", "province"))) == 102


@pytest.mark.parametrize("digit", ["２", "٢"])
def test_digits_of_other_scripts_are_none_in_identity_numbers(digit: str) -> None:
    assert not is_scientific(f"{digit}.2E+17")
    assert canonical_resident_id(f"{digit}3030719630405451x")[1] is None


@given(st.binary(min_size=32, max_size=100), st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=5))
def test_pseudonym_is_hmac_sha256(secret: bytes, identifiers: list[str]) -> None:
    found = pseudonyms(PseudonymKey(secret, "1"), pl.Series(identifiers)).to_list()
    assert found == [hmac.digest(secret, text.encode(), "sha256")[:16].hex() for text in identifiers]


def test_short_key_is_refused_and_no_key_is_shown() -> None:
    with pytest.raises(SettingsError):
        PseudonymKey(b"short", "1")
    assert "secret" not in repr(PseudonymKey(b"s" * 32, "1"))
