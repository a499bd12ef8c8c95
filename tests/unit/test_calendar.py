"""Deliveries and periods in the province's calendar."""

from __future__ import annotations

import datetime as dt

import pytest

from threegaps.calendar import Delivery, add_months, deliveries_between, in_order
from threegaps.errors import SettingsError


@pytest.mark.parametrize(
    ("cadence", "key", "start", "end", "following"),
    [
        ("day", "2026-02-28", "2026-02-28", "2026-02-28", "2026-03-01"),
        ("month", "2026-12", "2026-12-01", "2026-12-31", "2027-01"),
        ("quarter", "2026Q4", "2026-10-01", "2026-12-31", "2027Q1"),
        ("term", "2025-2026-1", "2025-09-01", "2026-01-31", "2025-2026-2"),
        ("term", "2025-2026-2", "2026-02-01", "2026-08-31", "2026-2027-1"),
        ("year", "2026", "2026-01-01", "2026-12-31", "2027"),
    ],
)
def test_a_delivery_knows_its_days_and_its_neighbours(cadence, key, start, end, following):
    delivery = Delivery.parse(cadence, key)
    assert delivery.key == key
    assert delivery.start == dt.date.fromisoformat(start)
    assert delivery.end == dt.date.fromisoformat(end)
    assert delivery.next().key == following
    assert delivery.next().previous() == delivery
    assert Delivery.containing(cadence, delivery.end) == delivery


@pytest.mark.parametrize(
    ("cadence", "key"),
    [
        ("day", "2026-02-30"),
        ("day", "2026-06"),
        ("month", "2026-13"),
        ("quarter", "2026Q5"),
        ("quarter", "2026q1"),
        ("term", "2025-2027-1"),
        ("year", ""),
        ("month", None),
    ],
)
def test_a_delivery_is_never_guessed(cadence, key):
    with pytest.raises(SettingsError, match=r"delivery|date|school year"):
        Delivery.parse(cadence, key)


@pytest.mark.parametrize(
    ("cadence", "key"),
    [
        ("day", "1989-12-31"),
        ("day", "2101-01-01"),
        ("month", "9999-12"),
        ("month", "0001-01"),
        ("month", "0000-01"),
        ("quarter", "9999Q4"),
        ("term", "9998-9999-2"),
        ("term", "0000-0001-1"),
        ("year", "0000"),
        ("year", "2101"),
    ],
)
def test_a_delivery_lies_within_the_years_that_there_can_be(cadence, key):
    with pytest.raises(SettingsError, match="outside the years 1990 to 2100") as told:
        Delivery.parse(cadence, key)
    assert told.value.advice


def test_the_first_and_the_last_delivery_are_whole():
    assert Delivery.parse("day", "2100-12-31").end == dt.date(2100, 12, 31)
    assert Delivery.parse("year", "2100").end == dt.date(2100, 12, 31)
    assert Delivery.parse("year", "1990").start == dt.date(1990, 1, 1)


def test_catching_up_names_every_delivery_in_order():
    keys = [delivery.key for delivery in deliveries_between("quarter", "2024Q3", "2025Q2")]
    assert keys == ["2024Q3", "2024Q4", "2025Q1", "2025Q2"]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-08-31", 6, "2025-02-28"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2024-01-31", -2, "2023-11-30"),
        ("2024-12-15", 1, "2025-01-15"),
        ("2024-11-30", 1, "2024-12-30"),
    ],
)
def test_months_are_added_as_the_calendar_has_them(day, months, expected):
    assert add_months(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(expected)


def test_a_day_lies_in_its_period():
    quarter = Delivery.containing("quarter", dt.date(2025, 5, 27))
    assert (quarter.start, quarter.end) == (dt.date(2025, 4, 1), dt.date(2025, 6, 30))


def test_deliveries_of_several_cadences_stand_in_the_order_of_time():
    keys = ["2026-12", "2026Q2", "2026-06-03", "2026", "2025-2026-2", "2026-07"]
    assert in_order(keys) == ["2026-06-03", "2026Q2", "2026-07", "2025-2026-2", "2026", "2026-12"]
    assert [Delivery.of_key(key).key for key in keys] == keys
    with pytest.raises(SettingsError, match="is not a delivery"):
        Delivery.of_key("the second quarter")


def test_a_list_is_newer_by_the_day_that_it_stands_for_whatever_its_cadence() -> None:
    lists = [Delivery.of_key(key) for key in ("2026-02", "2026Q1", "2026-04", "2026-05", "2026Q2", "2026-07", "2026")]
    versions = [one.version for one in lists]
    assert versions == sorted(versions)
    assert len(set(versions)) == len(versions)
