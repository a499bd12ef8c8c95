"""By when deliveries are owed: due days, working days, holidays, and what a contract says of them."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threegaps.calendar import CADENCES, EXAMPLES, Delivery
from threegaps.contracts.due import due_moment, due_moments, last_due, moves_to_working_day
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.settings import SHANGHAI, Settings
from threegaps.standards.working_days import is_working_day, known_until, known_years, working_day_from


def contract(**changes: object) -> Contract:
    """Monthly, due on the 20th of the month after at eight, without a grace."""
    wages = find_contract(Settings.load().contracts_folder, "hrss/wage_records")
    return replace(wages, **{"grace_minutes": 0, **changes})  # type: ignore[arg-type]  # by name


def due(key: str, **changes: object) -> str:
    one = contract(**changes)
    return f"{due_moment(one, Delivery.parse(one.cadence, key)):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("day", "is_working"),
    [
        ("2026-06-18", True),
        ("2026-06-19", False),  # a Friday, the Dragon Boat Festival
        ("2026-09-20", True),  # a Sunday, worked for the National Day
        ("2026-02-14", True),  # a Saturday, worked for the Spring Festival
        ("2026-02-21", False),
        ("2025-10-06", False),
        ("2025-01-26", True),
        ("2024-02-09", True),  # the eve, which is no holiday by the notice
        ("2024-10-12", True),
        ("2026-06-13", False),  # a Saturday like others
    ],
)
def test_offices_are_open_as_the_notices_say(day: str, is_working: bool) -> None:
    assert is_working_day(dt.date.fromisoformat(day)) is is_working


def test_each_year_has_the_days_that_the_law_makes_holidays() -> None:
    """Thirteen since 2025, eleven before; a notice adds weekend days, and days that are worked for elsewhere."""
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=number) for number in range(366 + 365 + 365)]
    for year, working in ((2024, 251), (2025, 248), (2026, 248)):
        assert sum(is_working_day(day) for day in days if day.year == year) == working, year


def test_of_years_without_a_notice_only_weekends_are_known() -> None:
    assert known_years() == {2024, 2025, 2026}
    assert known_until() == dt.date(2026, 12, 31)
    assert is_working_day(dt.date(2027, 10, 1))
    assert not is_working_day(dt.date(2027, 10, 2))
    # a year's first days follow from the year itself, not from the notice of the year before
    assert working_day_from(dt.date(2025, 12, 31)) == dt.date(2025, 12, 31)
    assert working_day_from(dt.date(2026, 1, 1)) == dt.date(2026, 1, 4)


@given(st.dates(dt.date(2023, 1, 1), dt.date(2028, 12, 31)))
def test_the_working_day_from_a_day_is_the_first_that_is_not_before_it(day: dt.date) -> None:
    found = working_day_from(day)
    assert is_working_day(found)
    assert found >= day
    between = [day + dt.timedelta(days=number) for number in range((found - day).days)]
    assert not any(is_working_day(one) for one in between)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("2026-03", "2026-04-20 08:00"),
        ("2026-05", "2026-06-22 08:00"),  # Saturday the 20th, in the Dragon Boat holiday that ends on Sunday
        ("2025-12", "2026-01-20 08:00"),
        ("2026-08", "2026-09-20 08:00"),  # a Sunday that is worked
        ("2024-10", "2024-11-20 08:00"),
        ("2025-03", "2025-04-21 08:00"),  # a Sunday
    ],
)
def test_a_due_day_on_which_offices_are_closed_moves(key: str, expected: str) -> None:
    assert due(key) == expected


def test_it_moves_over_a_whole_holiday_and_over_the_year() -> None:
    assert due("2026-09", due_cron="0 9 1 * *") == "2026-10-08 09:00"
    assert due("2026-01", due_cron="0 9 15 * *") == "2026-02-24 09:00"
    assert due("2025-12", due_cron="30 23 1 1 *") == "2026-01-04 23:30"
    assert due("2025-11", due_cron="0 9 31 * *") == "2025-12-31 09:00"
    # nothing is known of 2027: New Year's Day is a Friday like others, until its notice is there
    assert due("2026-12", due_cron="0 9 1 * *") == "2027-01-01 09:00"
    assert due("2026-12", due_cron="0 9 2 * *") == "2027-01-04 09:00"


def test_a_contract_says_whether_it_moves() -> None:
    assert due("2026-05", due_on_day_off="same_day") == "2026-06-20 08:00"
    assert due("2026-05", due_on_day_off="next_working_day") == "2026-06-22 08:00"
    # what machines make on every day is due on every day, unless the contract says otherwise
    daily = {"cadence": "day", "due_cron": "0 6 * * *"}
    assert due("2026-09-30", **daily) == "2026-10-01 06:00"
    assert due("2026-09-30", **daily, due_on_day_off="next_working_day") == "2026-10-08 06:00"
    assert [moves_to_working_day(contract(cadence=cadence)) for cadence in CADENCES] == [False, True, True, True, True]


def test_the_grace_comes_after_the_moved_moment() -> None:
    assert due("2026-05", grace_minutes=240) == "2026-06-22 12:00"
    assert due("2026-03", grace_minutes=17 * 60) == "2026-04-21 01:00"


def test_moments_are_shanghais() -> None:
    moment = due_moment(contract(), Delivery.parse("month", "2026-03"))
    assert moment == dt.datetime(2026, 4, 20, 0, 0, tzinfo=dt.UTC)
    assert moment.utcoffset() == dt.timedelta(hours=8)


@pytest.mark.parametrize("cadence", CADENCES)
@pytest.mark.parametrize(
    "cron", ["0 6 * * *", "0 8 20 * *", "0 9 15 1,4,7,10 *", "0 9 31 12 *", "0 0 1 * *", "0 9 L * *"]
)
def test_one_after_the_other_is_as_each_by_itself(cadence: str, cron: str) -> None:
    one = contract(cadence=cadence, due_cron=cron)
    first = Delivery.parse(one.cadence, EXAMPLES[one.cadence])
    deliveries = [first]
    for _ in range(11):
        deliveries.append(deliveries[-1].next())
    found = list(itertools.islice(due_moments(one, first), len(deliveries)))
    assert found == [due_moment(one, delivery) for delivery in deliveries]
    assert found == sorted(found)
    assert all(moment.date() > delivery.end for moment, delivery in zip(found, deliveries, strict=True))


def test_the_last_that_is_due_is_so_from_its_moment_on() -> None:
    one = contract()
    moment = dt.datetime(2026, 6, 22, 8, tzinfo=SHANGHAI)
    assert last_due(one, moment).key == "2026-05"
    assert last_due(one, moment - dt.timedelta(seconds=1)).key == "2026-04"
    assert last_due(one, moment.astimezone(dt.UTC)).key == "2026-05"
