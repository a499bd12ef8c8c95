"""Who is told, and when: gravity, department, kind, working hours, nights, weekends and holidays."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threegaps.ledger.incidents import Cause, Incident
from threegaps.settings import SHANGHAI
from threegaps.standards.working_days import is_working_day
from threegaps.watch import journal
from threegaps.watch.alerts import Alerts, Route
from threegaps.watch.hours import Span, WorkingHours
from threegaps.watch.routing import Routed, channels_for, send_after
from threegaps.watch.telling import of_alerts

FRIDAY = dt.date(2026, 11, 27)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), SHANGHAI)


ALERTS = Alerts(
    routes=(
        Route(("all",)),
        Route(("night",), from_gravity="critical", hours="outside"),
        Route(("day",), hours="working"),
        Route(("hrss", "all"), departments=("hrss",)),
        Route(("late",), kinds=("feed_late",)),
    ),
)


def names(routed: list[Routed]) -> list[str]:
    return [one.channel_name for one in routed]


@pytest.mark.parametrize(
    ("kind", "gravity", "department", "now", "expected"),
    [
        ("airflow_down", "critical", None, at(FRIDAY, 10), ["all", "day"]),
        ("airflow_down", "critical", None, at(FRIDAY, 3), ["all", "night"]),
        ("airflow_down", "warning", None, at(FRIDAY, 3), ["all"]),
        ("feed_late", "warning", "hrss", at(FRIDAY, 10), ["all", "day", "hrss", "late"]),
        ("feed_late", "warning", "tax", at(FRIDAY, 10), ["all", "day", "late"]),
        # Over several departments: no one department's affair.
        ("feed_unreachable", "warning", None, at(FRIDAY, 10), ["all", "day"]),
    ],
)
def test_an_incident_goes_to_the_channels_of_all_routes_that_it_fits_each_once(
    kind: str, gravity: str, department: str | None, now: dt.datetime, expected: list[str]
) -> None:
    assert names(channels_for(ALERTS, kind, gravity, department, now)) == expected


def test_its_end_goes_to_those_who_were_told_whatever_it_and_the_file_have_become() -> None:
    telling = of_alerts(ALERTS, {})
    late = journal.new_incident(Cause("feed_late", "a", "warning", "迟", "late", feeds=("hrss/a",)), at(FRIDAY, 10))
    elsewhere = dataclasses.replace(late, feeds=[], department=None)

    def told(incident: Incident, change: str, now: dt.datetime, before: Sequence[str]) -> list[tuple[str, dt.datetime]]:
        return [(way.channel_name, way.send_after) for way in telling.ways(incident, change, now, told=before)]

    opened = told(late, "opened", at(FRIDAY, 10), ())
    assert opened == [(name, at(FRIDAY, 10)) for name in ("all", "day", "hrss", "late")]
    assert told(elsewhere, "closed", at(FRIDAY, 11), ["hrss", "gone"]) == [
        ("hrss", at(FRIDAY, 11)),
        ("gone", at(FRIDAY, 11)),
    ]
    assert told(elsewhere, "closed", at(FRIDAY, 11), ()) == []
    # A warning's end waits for a working hour as its beginning does.
    assert told(elsewhere, "closed", at(FRIDAY, 19), ["hrss"]) == [("hrss", at(dt.date(2026, 11, 30), 9))]
    # What becomes grave at night is the night's affair, and of those who know of it; each is told once.
    graver = dataclasses.replace(elsewhere, gravity="critical")
    found = told(graver, "worsened", at(FRIDAY, 19), ["hrss", "all"])
    assert found == [(name, at(FRIDAY, 19)) for name in ("all", "night", "late", "hrss")]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(FRIDAY, 8, 59), at(FRIDAY, 9)),
        (at(FRIDAY, 9), at(FRIDAY, 9)),
        (at(FRIDAY, 17, 59), at(FRIDAY, 17, 59)),
        (at(FRIDAY, 18), at(dt.date(2026, 11, 30), 9)),
        (at(dt.date(2026, 11, 28), 12), at(dt.date(2026, 11, 30), 9)),
        (at(dt.date(2026, 11, 30), 0), at(dt.date(2026, 11, 30), 9)),
        (at(dt.date(2026, 9, 30), 23, 59), at(dt.date(2026, 10, 8), 9)),
        (at(dt.date(2026, 10, 1), 10), at(dt.date(2026, 10, 8), 9)),
        (at(dt.date(2026, 10, 9), 18), at(dt.date(2026, 10, 10), 9)),
    ],
)
def test_a_warning_waits_for_the_next_working_hour_over_nights_weekends_and_holidays(
    now: dt.datetime, expected: dt.datetime
) -> None:
    assert send_after(ALERTS, "warning", now) == expected
    assert send_after(ALERTS, "critical", now) == now


def test_quiet_hours_of_ones_own_end_with_the_next_working_hour() -> None:
    alerts = Alerts(quiet=Span(dt.time(22), dt.time(7)))
    assert send_after(alerts, "warning", at(FRIDAY, 21, 59)) == at(FRIDAY, 21, 59)
    assert send_after(alerts, "warning", at(FRIDAY, 22)) == at(dt.date(2026, 11, 30), 9)
    assert send_after(alerts, "warning", at(FRIDAY, 6, 59)) == at(FRIDAY, 9)
    assert send_after(alerts, "warning", at(FRIDAY, 7)) == at(FRIDAY, 7)
    assert send_after(Alerts(quiet="never"), "warning", at(FRIDAY, 3)) == at(FRIDAY, 3)


def test_instants_of_other_zones_are_judged_by_shanghais_clock() -> None:
    in_utc = at(FRIDAY, 20).astimezone(dt.UTC)
    assert in_utc.hour == 12
    assert send_after(ALERTS, "warning", in_utc) == at(dt.date(2026, 11, 30), 9)


@given(minutes=st.integers(0, 365 * 24 * 60))
def test_nothing_waits_into_the_past_or_into_hours_that_are_none(minutes: int) -> None:
    moment = at(dt.date(2026, 1, 1), 0) + dt.timedelta(minutes=minutes)
    waits_until = send_after(ALERTS, "warning", moment)
    assert waits_until >= moment
    assert ALERTS.working_hours.hold(waits_until)
    # There is no earlier working moment: an hour before, if not before now already, is none.
    before = waits_until - dt.timedelta(minutes=1)
    assert before < moment or not ALERTS.working_hours.hold(before)


def test_the_calendar_is_that_of_public_holidays() -> None:
    assert WorkingHours().is_working_day is is_working_day
    assert not WorkingHours().hold(at(dt.date(2026, 10, 1), 10))


def test_a_calendar_without_working_days_keeps_nothing_back_for_ever() -> None:
    hours = WorkingHours(is_working_day=lambda _: False)
    assert hours.next_from(at(FRIDAY, 3)) == at(FRIDAY, 3)
