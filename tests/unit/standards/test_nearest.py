"""What somebody may have meant."""

from __future__ import annotations

import pytest

from threegaps.standards.nearest import did_you_mean, nearest

FEEDS = ("hrss/wage_records", "hrss/certificates", "education/rural_teaching", "hrss/certificate_equivalences")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("hrss/wage_record", "hrss/wage_records"),
        ("wage_records", "hrss/wage_records"),
        ("HRSS/Certificates", "hrss/certificates"),
        ("teaching", "education/rural_teaching"),
        ("hrs/certificates", "hrss/certificates"),
    ],
)
def test_the_likeliest_comes_first(text: str, first: str) -> None:
    assert nearest(text, FEEDS)[0] == first


def test_nothing_near_is_nothing() -> None:
    assert nearest("x", FEEDS) == []
    assert nearest("\udcff", FEEDS) == []
    assert did_you_mean("zzz", FEEDS, otherwise="see the list.") == "see the list."
    assert did_you_mean("wage_records", FEEDS, otherwise="see the list.") == (
        "did you mean hrss/wage_records? Else see the list."
    )


def test_no_more_than_a_few_are_named() -> None:
    assert len(nearest("rule", [f"rule_{number}" for number in range(90)])) == 5
