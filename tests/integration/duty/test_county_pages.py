"""Counties: how each has reported the newest deliveries that are due, and what one of them lacks."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.duty_desk import TILES
from tests.integration.duty.conftest import Desk
from tests.integration.ledger.conftest import be_on
from tests.integration.ledger.sent import at, send
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.duty.reading.counties import Counties, CountySeen, read_counties, read_county
from threegaps.duty.reading.grid import squares
from threegaps.ledger import expected, owing, pauses
from threegaps.settings import Settings
from threegaps.standards.areas import codes_in_force, counties_by_city

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("desk")]

ALL = sorted(codes_in_force())
GONE, LATE = ALL[0], ALL[1]


@pytest.fixture
def workshops() -> Contract:
    """Quarterly, whole periods, owed county by county, due on the 20th after the quarter."""
    found = find_contract(Settings.load().contracts_folder, "organisation/prosperity_workshops")
    return replace(found, first_delivery="2025Q3")


@pytest.fixture
def ledger(desk: Desk, workshops: Contract) -> Iterator[psycopg.Connection[Any]]:
    """The first quarter of 2026 lacks one county, and another was late; it is June."""
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        be_on(connection, "2025-10-01")
        owing.enter(connection, workshops)
        connection.execute("update ops.feed set known_since = '2025-09-01'")
        be_on(connection, "2026-06-10")
        owing.enter(connection, workshops)
        rows = [(code, 3) for code in ALL]
        for delivery, day in (("2025Q3", "2025-10-15"), ("2025Q4", "2026-01-15")):
            send(connection, workshops, delivery, at(day), counties=rows)
        early, all_but_one = ([(code, 3) for code in ALL if code not in lacking] for lacking in ({GONE, LATE}, {GONE}))
        send(connection, workshops, "2026Q1", at("2026-04-15"), counties=early)
        send(connection, workshops, "2026Q1", at("2026-05-15"), counties=all_but_one)
        yield connection


def tiles(found: Counties) -> dict[str, tuple[int, int, str]]:
    return {code: (one.arrived, one.expected, one.state) for code, one in found.tiles.items()}


def lacking(found: CountySeen) -> list[tuple[str, int]]:
    return [(one.delivery, one.days_late) for one in found.lacking]


def test_the_ninety_counties_lie_in_eleven_cities() -> None:
    cities = counties_by_city()
    assert len(cities) == 11
    assert sorted(code for city in cities for code, _ in city.counties) == ALL


def test_each_county_is_shown_by_the_newest_delivery_that_is_due(ledger: psycopg.Connection[Any]) -> None:
    found = read_counties(ledger)
    assert [(one.feed, one.delivery) for one in found.feeds] == [("organisation/prosperity_workshops", "2026Q1")]
    assert len(found.tiles) == 90
    assert tiles(found)[GONE] == (0, 1, "none")
    assert tiles(found)[LATE] == (1, 1, "late")
    assert tiles(found)[ALL[2]] == (1, 1, "all")
    assert {one.on_time + one.late + one.empty + one.missing for one in found.tiles.values()} == {1}


def test_one_feed_alone_may_be_asked_for(ledger: psycopg.Connection[Any], desk: Desk) -> None:
    assert len(read_counties(ledger, "organisation/prosperity_workshops").tiles) == 90
    assert read_counties(ledger, "hrss/wage_records").tiles == {}
    page = desk.browser("reader").get("/duty/counties?feed=hrss/wage_records").text
    assert 'class="tile' not in page
    assert "不按县(市、区)报送" in page
    for unknown in ("no/such", "none", "organisation/"):
        assert desk.browser("reader").get(f"/duty/counties?feed={unknown}").status_code == 404
    assert desk.browser("reader").get("/duty/counties?feed=").text.count('class="tile all"') == 88


def test_a_county_lacks_what_it_has_not_sent_since_it_was_due(ledger: psycopg.Connection[Any]) -> None:
    due = dt.date(2026, 4, 20)
    assert lacking(read_county(ledger, GONE)) == [("2026Q1", (dt.date(2026, 6, 10) - due).days)]
    assert lacking(read_county(ledger, LATE)) == []
    (newest,) = read_county(ledger, LATE).newest
    assert (newest.delivery, newest.state, newest.rows) == ("2026Q1", "late", 3)


def test_a_delivery_of_which_nothing_has_come_lacks_everywhere(
    ledger: psycopg.Connection[Any], workshops: Contract
) -> None:
    be_on(ledger, "2026-07-25")
    owing.enter(ledger, workshops)
    assert set(tiles(read_counties(ledger)).values()) == {(0, 1, "none")}
    assert [delivery for delivery, _ in lacking(read_county(ledger, GONE))] == ["2026Q2", "2026Q1"]


def test_what_is_awaited_of_an_installation_that_is_set_up_is_not_missing(desk: Desk, workshops: Contract) -> None:
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        owing.enter(connection, workshops)
        assert [one.state for one in expected.standing(connection)] == ["awaited"]
        assert set(tiles(read_counties(connection)).values()) == {(0, 1, "awaited")}
        found = read_county(connection, GONE)
    assert (lacking(found), [one.state for one in found.newest]) == ([], ["awaited"])
    page = desk.browser("reader").get("/duty/counties").text
    assert page.count('class="tile awaited"') == 90
    assert "全部缺报 <b>0</b>" in page


def test_of_a_list_only_the_newest_one_lacks(ledger: psycopg.Connection[Any], workshops: Contract) -> None:
    ledger.execute("update ops.feed set delivery_kind = 'full_list'")
    be_on(ledger, "2026-07-25")
    owing.enter(ledger, workshops)
    assert [delivery for delivery, _ in lacking(read_county(ledger, GONE))] == ["2026Q2"]


def test_a_delivery_that_nobody_owes_is_passed_over(ledger: psycopg.Connection[Any], workshops: Contract) -> None:
    first, last = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
    pauses.begin(ledger, workshops.feed, "", "pause", first, last, reason="r", by="me")
    assert [one.delivery for one in read_counties(ledger).feeds] == ["2025Q4"]


def test_days_late_are_those_of_shanghai(ledger: psycopg.Connection[Any]) -> None:
    ledger.execute("update ops.expected_delivery set due_at = '2026-04-20 01:00+08' where delivery = '2026Q1'")
    assert lacking(read_county(ledger, GONE)) == [("2026Q1", 51)]


def test_what_was_due_before_the_feed_was_known_lacks_only_where_others_came(
    ledger: psycopg.Connection[Any], workshops: Contract
) -> None:
    ledger.execute("update ops.expected_delivery set is_timed = false")
    assert [delivery for delivery, _ in lacking(read_county(ledger, GONE))] == ["2026Q1"]
    ledger.execute("update ops.delivery_summary set lacking = 0")
    assert lacking(read_county(ledger, GONE)) == []


def test_squares_are_of_the_cadence_that_the_feed_has(ledger: psycopg.Connection[Any], workshops: Contract) -> None:
    def shown() -> list[str]:
        found = squares(ledger, expected.judged_at(ledger), [], [], [workshops.feed])
        return [one.delivery for one in found]

    assert shown() == ["2025Q3", "2025Q4", "2026Q1"]
    ledger.execute("update ops.feed set cadence = 'month'")
    assert shown() == []


def test_what_is_paused_or_closed_is_not_owed(ledger: psycopg.Connection[Any], workshops: Contract) -> None:
    first, last = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
    pauses.begin(ledger, workshops.feed, GONE, "pause", first, last, reason="r", by="me")
    found = read_counties(ledger)
    assert (GONE in found.tiles, len(found.tiles)) == (False, 89)
    assert lacking(read_county(ledger, GONE)) == []
    pauses.begin(ledger, workshops.feed, "", "closure", dt.date(2026, 5, 1), None, reason="r", by="me")
    assert read_counties(ledger).feeds == []


def test_the_pages_lead_from_a_tile_to_what_is_lacking_and_to_its_delivery(
    ledger: psycopg.Connection[Any], desk: Desk
) -> None:
    browser = desk.browser("reader")
    page = browser.get("/duty/counties").text
    assert len(re.findall(r'data-county="\d{6}"', page)) == 90
    assert dict(re.findall(r'data-count="(\w+)">.*?<b>(\d+)</b>', page)) == {
        "all": "88",
        "late": "1",
        "some": "0",
        "none": "1",
    }
    assert f'class="tile none" data-county="{GONE}" href="/duty/counties/{GONE}"' in page
    shown = re.findall(r'data-county="(\d{6})".*?<span>(\d+)/(\d+)', page, re.S)
    assert sorted(shown) == [tuple(map(str, row)) for row in desk.enter(TILES)], "as row by row"
    own = browser.get(f"/duty/counties/{GONE}").text
    assert 'data-lacking="organisation/prosperity_workshops 2026Q1"' in own
    assert 'href="/duty/feeds/organisation/prosperity_workshops/2026Q1"' in own
    assert "没有缺报" in browser.get(f"/duty/counties/{LATE}").text
    assert browser.get("/duty/counties/330199").status_code == 404


def test_what_came_at_nobody_knows_when_is_not_called_in_time(
    ledger: psycopg.Connection[Any], desk: Desk, workshops: Contract
) -> None:
    ledger.execute("update ops.expected_delivery set is_timed = false where county_code = any(%s)", [[LATE, ALL[2]]])
    one = tiles(read_counties(ledger))
    # Of what came by the day it is known, whoever knew of the feed when.
    assert (one[LATE][2], one[ALL[2]][2], one[GONE][2]) == ("untimed", "all", "none")
    page = desk.browser("reader", Cookie="threegaps_language=en").get("/duty/counties").text
    assert dict(re.findall(r'data-count="(\w+)">.*?<b>(\d+)</b>', page)) == {
        "all": "88",
        "untimed": "1",
        "late": "0",
        "some": "0",
        "none": "1",
    }
    tile = re.search(rf'class="tile untimed" data-county="{LATE}"[^>]*title="([^"]*)"', page)
    assert tile is not None
    assert "of some it cannot be told whether in time" in tile[1]
    assert "whether in time cannot be told 1" in tile[1]


def test_the_standing_of_one_feed_is_that_of_all(ledger: psycopg.Connection[Any], workshops: Contract) -> None:
    assert expected.standing(ledger, feed=workshops.feed) == expected.standing(ledger)
    assert expected.standing(ledger, feed="no/feed") == []
