"""The departments' dice: by the seed, every month some trouble, and nothing before the opening day."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from sandbox import feeds
from sandbox.calendar import HORIZON, OPENING_DAY, months, quarters
from sandbox.fates import plan


def test_months_and_quarters_end_with_the_day() -> None:
    assert [span.key for span in months(date(2024, 3, 30))] == ["2024-01", "2024-02"]
    assert [span.key for span in months(date(2024, 3, 31))] == ["2024-01", "2024-02", "2024-03"]
    assert [span.key for span in quarters(date(2024, 7, 1))] == ["2024Q1", "2024Q2"]
    assert (quarters(HORIZON)[-1].key, quarters(HORIZON)[-1].last) == ("2026Q4", date(2026, 12, 31))


@pytest.mark.parametrize("seed", [20250527, 1, 2])
def test_each_month_has_its_troubles_and_one_consignment_never_comes(seed: int) -> None:
    # What several feeds have in one workbook comes, or does not, at once.
    leading = {together[0].name for together in feeds.senders()}
    every = plan(feeds.every(), seed, HORIZON)
    fates = {(feed, due): fate for (feed, due), fate in every.items() if feed in leading}
    before = {fate.kind for (_, due), fate in fates.items() if due.day <= OPENING_DAY}
    assert before == {"on time"}
    for month in months(HORIZON, OPENING_DAY + timedelta(days=1)):
        kinds = Counter(
            fate.kind for (_, due), fate in fates.items() if due.delivery == month.key or due.day == month.last
        )
        assert kinds["late"] == kinds["spoilt"] == kinds["corrected"] == 1, month.key
        assert kinds["on time"] >= 4
    assert Counter(fate.kind for fate in fates.values())["never"] == 1


def test_feeds_of_one_workbook_share_its_fate() -> None:
    fates = plan(feeds.every(), 20250527, HORIZON)
    shared = [together for together in feeds.senders() if len(together) > 1]
    assert shared
    for first, *others in shared:
        for other in others:
            assert {due: fates[other.name, due] for due in other.dues(HORIZON)} == {
                due: fates[first.name, due] for due in first.dues(HORIZON)
            }


def test_the_same_seed_throws_the_same_dice() -> None:
    one, same, other = (plan(feeds.every(), seed, HORIZON) for seed in (5, 5, 6))
    assert one == same
    assert one != other


def test_what_comes_wrong_comes_again_and_what_is_late_comes_once() -> None:
    for (_, due), fate in plan(feeds.every(), 20250527, HORIZON).items():
        if fate.kind in {"spoilt", "corrected"}:
            assert fate.first == due.day
            assert fate.again is not None
            assert fate.again > due.day
        else:
            assert fate.again is None
        if fate.kind == "late":
            assert fate.first is not None
            assert fate.first > due.day
