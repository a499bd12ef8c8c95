"""Shares in per cent, as pages and pictures say them."""

from __future__ import annotations

import datetime as dt

import pytest

from threegaps.duty.charts import sparkline
from threegaps.duty.speaking import Speaker, percent


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (0, "0.0%"),
        (1, "<0.1%"),
        (999, "<0.1%"),
        (1000, "0.1%"),
        (500_000, "50.0%"),
        (999_000, "99.9%"),
        (999_001, ">99.9%"),
        (999_999, ">99.9%"),
        (1_000_000, "100.0%"),
    ],
)
def test_more_than_nothing_is_not_nothing_and_less_than_all_not_all(part: int, said: str) -> None:
    s = Speaker("en", dt.datetime.now(dt.UTC))
    assert s.share(part, 1_000_000) == percent(part / 10_000) == said
    assert f"2026-01 {said}".replace("<", "&lt;").replace(">", "&gt;") in sparkline([("2026-01", 1_000_000, part)])


def test_of_nothing_there_is_no_share() -> None:
    s = Speaker("en", dt.datetime.now(dt.UTC))
    assert [s.share(0, 0), s.share(None, 5), s.share(1, None)] == ["–"] * 3
