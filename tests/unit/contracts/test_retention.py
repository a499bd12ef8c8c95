"""For how long copies are kept: the contract says, a deployment may shorten it, the law holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from threegaps.contracts.loader import find_contract
from threegaps.contracts.retention import copies_end_before

ROOT = Path(__file__).parents[3] / "expectations"
WAGES, INCOME = (find_contract(ROOT, feed) for feed in ("hrss/wage_records", "statistics/resident_income"))
DAY = dt.date(2026, 6, 30)


@pytest.mark.parametrize(
    ("months", "at_most_days", "expected"),
    [
        (24, None, dt.date(2024, 6, 30)),
        (60, None, dt.date(2021, 6, 30)),
        (60, 1000, dt.date(2023, 10, 4)),
        (60, 5000, dt.date(2021, 6, 30)),  # a deployment cannot keep them longer
        (60, 30, dt.date(2024, 6, 30)),  # nor under two years
        (24, 730, dt.date(2024, 6, 30)),
        (12, None, dt.date(2024, 6, 30)),  # nor can a contract
    ],
)
def test_the_contract_decides_between_the_law_and_the_deployment(
    months: int, at_most_days: int | None, expected: dt.date
) -> None:
    contract = replace(WAGES, retention_months=months)
    assert copies_end_before(contract, DAY, at_most_days=at_most_days) == expected


@pytest.mark.parametrize(("months", "at_most_days"), [(24, None), (120, 365), (120, None)])
def test_summaries_are_kept_for_ten_years_whatever_is_asked_for(months: int, at_most_days: int | None) -> None:
    income = replace(INCOME, retention_months=months)
    assert copies_end_before(income, DAY, at_most_days=at_most_days) == dt.date(2016, 6, 30)
    assert not WAGES.is_summary
