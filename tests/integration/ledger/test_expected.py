"""What feeds owe, what has come of it, and how they stand by that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.faults.conftest import point_at
from tests.integration.ledger.conftest import be_on
from tests.integration.ledger.sent import judge, land, send
from threegaps.calendar import Delivery
from threegaps.contracts.due import due_moment
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.feed_run.expected import enter_expected
from threegaps.ledger import expected, owing, pauses
from threegaps.ledger.expected import Standing
from threegaps.ledger.incidents import Cause
from threegaps.settings import SHANGHAI, Settings
from threegaps.standards.areas import codes_in_force
from threegaps.watch import reading_ledger
from threegaps.watch.looks import deliveries

pytestmark = pytest.mark.integration

Ledger = psycopg.Connection[Any]
_SUMMARY = "expected, arrived, on_time, late, empty, incomplete, untimed"


def at(day: str, hour: int = 9) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(hour), SHANGHAI)


def contract(feed: str, first: str) -> Contract:
    return replace(find_contract(Settings.load().contracts_folder, feed), first_delivery=first)


@pytest.fixture
def released(ledger: Ledger) -> Iterator[Ledger]:
    """The same in an installation that has released."""
    ledger.execute("insert into ops.release (kind, as_of) values ('build', '2026-06-01')")
    yield ledger
    ledger.execute("delete from ops.release")


@pytest.fixture
def wages() -> Contract:
    """Monthly, whole periods, due on the 20th of the month after."""
    return contract("hrss/wage_records", "2026-03")


@pytest.fixture
def certificates() -> Contract:
    """Daily changes, due the next morning."""
    return contract("hrss/certificates", "2026-06-05")


@pytest.fixture
def enterprises() -> Contract:
    """A quarterly list, due on the 15th after the quarter."""
    return contract("hrss/skill_enterprises", "2025Q3")


@pytest.fixture
def workshops() -> Contract:
    """A quarterly workbook with a sheet of each county."""
    return contract("organisation/prosperity_workshops", "2025Q4")


def stands(connection: Ledger, feed: str) -> Standing:
    (one,) = [standing for standing in expected.standing(connection) if standing.feed == feed]
    return one


def summary(connection: Ledger, feed: str, delivery: str) -> dict[str, int]:
    """The counts that are not nought; kept and counted live they are the same."""
    kept = connection.execute(
        f"select {_SUMMARY} from ops.delivery_summary where feed = %s and delivery = %s", [feed, delivery]
    ).fetchone()
    assert kept is not None
    return {name: count for name, count in zip(_SUMMARY.split(", "), kept, strict=True) if count}


def row(connection: Ledger, feed: str, delivery: str, county: str = "") -> tuple[Any, ...]:
    found = connection.execute(
        "select first_arrived_at, completed_at, rows from ops.expected_delivery"
        " where feed = %s and delivery = %s and county_code = %s",
        [feed, delivery, county],
    ).fetchone()
    assert found is not None
    return found


def known_since(connection: Ledger, day: str) -> None:
    """Deliveries have been asked for since *day*: whether later ones come in time can be told."""
    connection.execute("update ops.feed set known_since = %s", [at(day)])


# ---- entering -----------------------------------------------------------------------------------------------------


def test_what_is_owed_is_entered_ahead(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    found = ledger.execute("select delivery, due_at from ops.expected_delivery order by delivery").fetchall()
    deliveries = [Delivery.parse("month", key) for key in ("2026-03", "2026-04", "2026-05", "2026-06")]
    assert found == [(delivery.key, due_moment(wages, delivery)) for delivery in deliveries]
    assert found[-1][1] > expected.judged_at(ledger) + dt.timedelta(days=30)


def test_one_more_is_entered_where_the_next_is_far(ledger: Ledger) -> None:
    places = contract("agriculture/places", "2024")
    owing.enter(ledger, places)
    standing = stands(ledger, places.feed)
    assert (standing.delivery, standing.next_delivery) == ("2025", "2026")
    # 15 February 2026 begins the Spring Festival, whose last day is the 23rd
    assert standing.due_at == at("2026-02-24", 13)


def test_entering_again_changes_nothing(ledger: Ledger, wages: Contract) -> None:
    for _ in range(2):
        owing.enter(ledger, wages)
        send(ledger, wages, "2026-04", at("2026-05-19"))
    before = ledger.execute("select * from ops.expected_delivery order by 2").fetchall()
    owing.enter(ledger, wages)
    assert ledger.execute("select * from ops.expected_delivery order by 2").fetchall() == before


def test_a_changed_contract_changes_only_what_is_open_in_the_future(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    before = dict(ledger.execute("select delivery, due_at from ops.expected_delivery").fetchall())
    send(ledger, wages, "2026-05", at("2026-06-09"))
    changed = replace(wages, due_cron="0 8 25 * *", first_delivery="2026-05")
    owing.enter(ledger, changed)
    now = dict(ledger.execute("select delivery, due_at from ops.expected_delivery").fetchall())
    assert {key: due for key, due in now.items() if due != before.get(key)} == {
        "2026-06": due_moment(changed, Delivery.parse("month", "2026-06"))
    }
    assert now.keys() == before.keys()


def go(connection: Ledger, contract: Contract) -> Standing:
    """Enter what the contract says now, and see how its feed stands."""
    owing.enter(connection, contract)
    return stands(connection, contract.feed)


def test_what_a_contract_names_no_more_is_not_owed_now_and_counts_for_its_time(ledger: Ledger, wages: Contract) -> None:
    quarterly = replace(wages, cadence="quarter", first_delivery="2026Q2", due_cron="0 8 20 1,4,7,10 *")
    owing.enter(ledger, wages)
    known_since(ledger, "2026-01-01")
    send(ledger, wages, "2026-03", at("2026-04-10"))
    assert go(ledger, wages).late == ("2026-04",)
    standing = go(ledger, quarterly)
    assert (standing.state, standing.late, standing.days_late) == ("not_due", (), 0)
    assert (standing.last_delivery, standing.next_delivery) == ("2026-03", "2026Q2")
    assert summary(ledger, wages.feed, "2026-04") == {"expected": 1}, "nobody has it"
    be_on(ledger, "2026-07-25")
    standing = go(ledger, quarterly)
    assert (standing.state, standing.late, standing.delivery) == ("late", ("2026Q2",), "2026Q2")
    send(ledger, quarterly, "2026Q2", at("2026-07-15"))
    standing = stands(ledger, wages.feed)
    assert (standing.state, standing.late, standing.last_delivery) == ("in_time", (), "2026Q2")
    # what it names again it is asked for again
    assert go(ledger, wages).late == ("2026-04", "2026-05", "2026-06")


def test_months_after_days_are_owed_though_a_day_of_theirs_has_come(ledger: Ledger, certificates: Contract) -> None:
    monthly = replace(certificates, cadence="month", first_delivery="2026-06", due_cron="0 8 5 * *")
    owing.enter(ledger, certificates)
    known_since(ledger, "2026-06-01")
    send(ledger, certificates, "2026-06-07", at("2026-06-08", 6))
    assert go(ledger, certificates).late == ("2026-06-08", "2026-06-09")
    standing = go(ledger, monthly)
    assert (standing.state, standing.late, standing.next_delivery) == ("not_due", (), "2026-06")
    be_on(ledger, "2026-07-10")
    standing = go(ledger, monthly)
    assert (standing.state, standing.late) == ("late", ("2026-06",))
    send(ledger, monthly, "2026-06", at("2026-07-10"))
    standing = stands(ledger, monthly.feed)
    assert (standing.state, standing.last_delivery) == ("in_time", "2026-06")
    # the month's window had the days' too
    assert summary(ledger, certificates.feed, "2026-06-08") == {"expected": 1, "arrived": 1, "late": 1}


def test_a_contract_that_comes_back_is_asked_for_since_then(ledger: Ledger, wages: Contract) -> None:
    be_on(ledger, "2026-04-25")
    owing.enter(ledger, wages)
    known_since(ledger, "2026-01-01")
    owing.enter(ledger, wages)
    send(ledger, wages, "2026-03", at("2026-04-24"))
    before = {"expected": 1, "arrived": 1, "late": 1}
    assert summary(ledger, wages.feed, "2026-03") == before
    owing.enter_all(ledger, [])
    be_on(ledger, "2026-07-10")
    for _ in range(2):
        standing = go(ledger, wages)
        # April and May were due while nobody asked for them.
        assert (standing.state, standing.days_late, standing.deliveries_late) == ("awaited", 0, 0)
        assert summary(ledger, wages.feed, "2026-03") == before, "what was asked for in its time counts there"
    be_on(ledger, "2026-07-25")
    standing = go(ledger, wages)
    assert (standing.late, standing.late_since) == (("2026-04", "2026-05", "2026-06"), at("2026-07-10", 0))
    send(ledger, wages, "2026-04", at("2026-07-24"))
    assert summary(ledger, wages.feed, "2026-04") == {"expected": 1, "arrived": 1, "untimed": 1}


def test_what_is_before_a_later_first_delivery_is_not_owed_now(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    known_since(ledger, "2026-01-01")
    assert go(ledger, wages).late == ("2026-03", "2026-04")
    assert go(ledger, replace(wages, first_delivery="2026-04")).late == ("2026-04",)
    assert summary(ledger, wages.feed, "2026-03") == {"expected": 1}


def test_counties_that_a_contract_asks_for_no_more_lack_nothing_now(ledger: Ledger, workshops: Contract) -> None:
    owing.enter(ledger, workshops)
    known_since(ledger, "2025-10-01")
    counties = sorted({**all_counties(), "330105": 0}.items())[1:]
    send(ledger, workshops, "2025Q4", at("2026-01-10"), counties=counties)
    send(ledger, workshops, "2026Q1", at("2026-04-10"), counties=counties)
    standing = go(ledger, workshops)
    assert (standing.state, len(standing.missing_counties)) == ("incomplete", 2)
    standing = go(ledger, replace(workshops, owed_by_county=None))
    assert (standing.state, standing.missing_counties) == ("in_time", ())
    assert summary(ledger, workshops.feed, "2026Q1")["arrived"] == 89, "the rate of its time stays"
    assert go(ledger, workshops).state == "incomplete"


def test_a_feed_that_closes_and_reopens_owes_what_follows(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    known_since(ledger, "2026-01-01")
    assert go(ledger, wages).late == ("2026-03", "2026-04")
    pauses.begin(ledger, wages.feed, "", "closure", dt.date(2026, 3, 1), None, reason="r", by="b")
    assert (go(ledger, wages).state, stands(ledger, wages.feed).late) == ("closed", ())
    pauses.end(ledger, wages.feed, "", "closure", dt.date(2026, 5, 1), reason="r", by="b")
    assert (go(ledger, wages).state, stands(ledger, wages.feed).next_delivery) == ("not_due", "2026-05")
    be_on(ledger, "2026-06-23")
    standing = go(ledger, wages)
    assert (standing.state, standing.late, standing.days_late) == ("late", ("2026-05",), 1)


def test_a_feed_without_a_contract_owes_nothing_more(ledger: Ledger, wages: Contract, enterprises: Contract) -> None:
    owing.enter_all(ledger, [wages, enterprises])
    owing.enter_all(ledger, [enterprises])
    left = ledger.execute("select max(delivery) from ops.expected_delivery where feed = %s", [wages.feed]).fetchone()
    assert left == ("2026-04",)
    assert [standing.feed for standing in expected.standing(ledger)] == [enterprises.feed]
    counted = ledger.execute("select max(delivery) from ops.delivery_summary where feed = %s", [wages.feed]).fetchone()
    assert counted == ("2026-04",)


def test_a_contract_that_cannot_be_read_holds_up_no_other(
    ledger: Ledger, wages: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_warehouse: str
) -> None:
    owing.enter_all(ledger, [wages])
    before = ledger.execute("select * from ops.expected_delivery where feed = %s", [wages.feed]).fetchall()
    root = Settings.load().contracts_folder
    for feed in (wages.feed, "hrss/certificates"):
        path = tmp_path / "expectations" / f"{feed}.odcs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = (root / f"{feed}.odcs.yaml").read_text(encoding="utf-8")
        path.write_text("" if feed == wages.feed else content, encoding="utf-8")
    point_at(monkeypatch, shared_warehouse, tmp_path / "landing")
    monkeypatch.setenv("THREEGAPS_ROOT", str(tmp_path))
    enter_expected(Settings.load())
    assert {one.feed for one in expected.standing(ledger)} == {wages.feed, "hrss/certificates"}
    assert ledger.execute("select * from ops.expected_delivery where feed = %s", [wages.feed]).fetchall() == before


# ---- arrivals -----------------------------------------------------------------------------------------------------


def test_in_time_late_and_missing(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    known_since(ledger, "2026-03-31")
    owing.enter(ledger, wages)
    send(ledger, wages, "2026-03", at("2026-04-20", 11), part="part0001")
    send(ledger, wages, "2026-04", at("2026-05-20", 13), part="part0001")
    assert summary(ledger, wages.feed, "2026-03") == {"expected": 1, "arrived": 1, "on_time": 1}
    assert summary(ledger, wages.feed, "2026-04") == {"expected": 1, "arrived": 1, "late": 1}
    assert summary(ledger, wages.feed, "2026-05") == {"expected": 1}
    standing = stands(ledger, wages.feed)
    assert (standing.late, standing.days_late, standing.last_delivery) == ((), 0, "2026-04")
    be_on(ledger, "2026-06-23")
    standing = stands(ledger, wages.feed)
    # due on the 22nd, since the 20th is a Saturday in a holiday
    assert (standing.late, standing.days_late, standing.due_at) == (("2026-05",), 1, at("2026-06-22", 12))


def test_a_gap_of_before_the_feed_was_known_makes_it_late_no_more(ledger: Ledger, wages: Contract) -> None:
    """History that nobody will send would hold the feed late for ever; what is due since is late as ever."""
    owing.enter(ledger, wages)
    be_on(ledger, "2026-06-09")
    assert stands(ledger, wages.feed).late != (), "nothing has come yet"
    send(ledger, wages, "2026-03", at("2026-06-08"), part="part0001")
    assert stands(ledger, wages.feed).late == ("2026-04",)
    send(ledger, wages, "2026-04", at("2026-06-08"), part="part0001")
    assert stands(ledger, wages.feed).late == ()
    be_on(ledger, "2026-06-23")
    known_since(ledger, "2026-06-09")
    owing.enter(ledger, wages)
    assert stands(ledger, wages.feed).late == ("2026-05",)
    send(ledger, wages, "2026-06", at("2026-06-23"), part="part0001")
    assert stands(ledger, wages.feed).late == ("2026-05",), "a whole period is owed whatever follows"


def test_an_installation_where_nothing_was_ever_tried_is_set_up_for_three_days(ledger: Ledger, wages: Contract) -> None:
    assert expected.is_being_set_up(ledger), "it knows no feed"
    owing.enter(ledger, wages)
    known_since(ledger, "2026-06-09")
    standing = stands(ledger, wages.feed)
    assert (standing.state, standing.deliveries_late) == ("awaited", 0)
    known_since(ledger, "2026-04-01")
    standing = stands(ledger, wages.feed)
    assert (standing.state, standing.deliveries_late, expected.is_being_set_up(ledger)) == ("late", 2, False)


def test_a_feed_that_opens_in_an_installation_that_has_released_is_awaited_for_three_days(
    released: Ledger, wages: Contract, certificates: Contract
) -> None:
    owing.enter(released, certificates)
    known_since(released, "2026-01-01")
    send(released, certificates, "2026-06-08", at("2026-06-09", 6))
    assert not expected.is_being_set_up(released)
    standing = go(released, wages)
    assert (standing.state, standing.days_late, standing.deliveries_late) == ("awaited", 0, 0)
    assert go(released, certificates).state == "late", "the others are as they were"
    assert not reading_ledger.read(released).owed[1:], "of what is awaited nobody is told"
    # what has come of its history makes nothing late while the rest of it is fetched
    send(released, wages, "2026-03", at("2026-06-10"))
    assert go(released, wages).state == "awaited"
    be_on(released, "2026-06-13")
    standing = go(released, wages)
    assert (standing.state, standing.late, standing.days_late) == ("late", ("2026-04",), 3)
    # late since it was asked for: not grave for what was due before anybody asked
    (cause,) = [one for one in seen(released) if one.about == wages.feed]
    assert (cause.gravity, "for 4 days" in cause.detail_en) == ("warning", True)
    be_on(released, "2026-06-18")
    (cause,) = [one for one in seen(released) if one.about == wages.feed]
    assert cause.gravity == "critical"


def test_a_feed_that_opens_is_late_with_what_is_due_since_and_a_day_after_it_was_tried(
    released: Ledger, wages: Contract, certificates: Contract
) -> None:
    assert go(released, certificates).late == ("2026-06-05", "2026-06-06", "2026-06-07", "2026-06-08", "2026-06-09")
    standing = stands(released, certificates.feed)
    assert (standing.state, standing.days_late) == ("late", 0), "the last of them was due since it is known"
    assert go(released, wages).state == "awaited"
    released.execute(
        "insert into ops.attempt (feed, step, delivery, outcome, started_at, ended_at)"
        " values (%s, 'land', '2026-04', 'nothing_new', now() - interval '23 hours', now())",
        [wages.feed],
    )
    assert stands(released, wages.feed).state == "awaited"
    released.execute("update ops.attempt set started_at = now() - interval '25 hours'")
    assert stands(released, wages.feed).state == "late"


def seen(connection: Ledger) -> list[Cause]:
    """What the watch sees of what is owed."""
    reading = reading_ledger.read(connection)
    return deliveries.seen(reading.owed, {}, reading.judged_at)


def test_what_was_due_before_the_feed_was_known_is_neither_in_time_nor_late(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    send(ledger, wages, "2026-03", at("2026-06-09"))
    assert summary(ledger, wages.feed, "2026-03") == {"expected": 1, "arrived": 1, "untimed": 1}
    # a warehouse that is built anew knows by what landed since when it was asked for
    known_since(ledger, "2026-06-09")
    land(ledger, wages.feed, "2026-02", at("2026-03-20"))
    owing.enter(ledger, wages)
    assert summary(ledger, wages.feed, "2026-03") == {"expected": 1, "arrived": 1, "late": 1}


def test_an_empty_file_is_never_in_time(ledger: Ledger, enterprises: Contract) -> None:
    owing.enter(ledger, enterprises)
    known_since(ledger, "2025-10-01")
    owing.enter(ledger, enterprises)
    send(ledger, enterprises, "2026Q1", at("2026-04-14"), received=0)
    assert summary(ledger, enterprises.feed, "2026Q1") == {"expected": 1, "arrived": 1, "empty": 1}
    assert stands(ledger, enterprises.feed).empty
    # what fills it comes late, whenever the empty one came
    send(ledger, enterprises, "2026Q1", at("2026-04-20"), received=7)
    assert summary(ledger, enterprises.feed, "2026Q1") == {"expected": 1, "arrived": 1, "late": 1}
    assert not stands(ledger, enterprises.feed).empty


def test_what_is_sent_again_keeps_its_time_and_holds_what_came_last(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    first, again = at("2026-04-19"), at("2026-05-02")
    send(ledger, wages, "2026-03", first, received=100)
    send(ledger, wages, "2026-03", again, received=90)
    assert row(ledger, wages.feed, "2026-03") == (first, first, 90)
    # of the last sending a part is missing: it is not whole any more, until it is
    part = land(ledger, wages.feed, "2026-03", at("2026-05-03"))
    judge(ledger, wages, "2026-03", [part], is_complete=False)
    assert row(ledger, wages.feed, "2026-03") == (first, None, 100)
    assert stands(ledger, wages.feed).incomplete == ("2026-03",)
    send(ledger, wages, "2026-03", at("2026-05-04"), received=80)
    assert row(ledger, wages.feed, "2026-03") == (first, first, 80)


@pytest.mark.parametrize("part", ["correction0001", "replay-0001"])
def test_corrections_and_repairs_are_no_delivery(part: str, ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    send(ledger, wages, "2026-03", at("2026-04-19"), received=5, part=part)
    assert row(ledger, wages.feed, "2026-03") == (None, None, None)
    send(ledger, wages, "2026-03", at("2026-04-20"))
    before = row(ledger, wages.feed, "2026-03")
    send(ledger, wages, "2026-03", at("2026-05-19"), received=5, part=part)
    assert row(ledger, wages.feed, "2026-03") == before == (at("2026-04-20"), at("2026-04-20"), 100)


def test_what_stopped_has_not_come_and_once_accepted_came_when_it_was_fetched(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    landed = land(ledger, wages.feed, "2026-03", at("2026-04-20"))
    judge(ledger, wages, "2026-03", [landed], status="stopped")
    assert row(ledger, wages.feed, "2026-03") == (None, None, None)
    accepted = judge(ledger, wages, "2026-03", [landed])
    assert row(ledger, wages.feed, "2026-03") == (at("2026-04-20"), at("2026-04-20"), 100)
    # judged again it is the same delivery
    judge(ledger, wages, "2026-03", [landed], supersedes=accepted, received=100)
    assert row(ledger, wages.feed, "2026-03") == (at("2026-04-20"), at("2026-04-20"), 100)
    # and a purge takes its bytes, not that it came
    ledger.execute("update ops.landed_object set copies_ended_at = now()")
    expected.settle(ledger, wages.feed, ["2026-03"])
    assert row(ledger, wages.feed, "2026-03") == (at("2026-04-20"), at("2026-04-20"), 100)


def test_a_window_of_changes_brings_what_earlier_days_owe(ledger: Ledger, certificates: Contract) -> None:
    owing.enter(ledger, certificates)
    known_since(ledger, "2026-06-01")
    owing.enter(ledger, certificates)
    assert stands(ledger, certificates.feed).late == ("2026-06-05", "2026-06-06", "2026-06-07", "2026-06-08",
                                                      "2026-06-09")  # fmt: skip
    send(ledger, certificates, "2026-06-08", at("2026-06-09", 6), received=40)
    assert row(ledger, certificates.feed, "2026-06-05") == (at("2026-06-09", 6), at("2026-06-09", 6), None)
    assert summary(ledger, certificates.feed, "2026-06-05") == {"expected": 1, "arrived": 1, "late": 1}
    assert summary(ledger, certificates.feed, "2026-06-08") == {"expected": 1, "arrived": 1, "on_time": 1}
    assert stands(ledger, certificates.feed).late == ("2026-06-09",)


def test_a_later_list_has_what_an_earlier_one_would_have_had(ledger: Ledger, enterprises: Contract) -> None:
    owing.enter(ledger, enterprises)
    send(ledger, enterprises, "2026Q1", at("2026-04-14"))
    standing = stands(ledger, enterprises.feed)
    assert (standing.late, standing.last_delivery) == ((), "2026Q1")
    # nobody has it all the same, and the rate says so
    assert summary(ledger, enterprises.feed, "2025Q4") == {"expected": 1}


def test_a_whole_period_that_never_came_stays_owed(ledger: Ledger, wages: Contract) -> None:
    owing.enter(ledger, wages)
    known_since(ledger, "2026-03-31")
    owing.enter(ledger, wages)
    send(ledger, wages, "2026-04", at("2026-05-19"))
    assert stands(ledger, wages.feed).late == ("2026-03",)


def test_an_earlier_warehouse_is_entered_with_what_it_has(ledger: Ledger, wages: Contract) -> None:
    send(ledger, wages, "2026-03", at("2026-04-19"))
    owing.enter(ledger, wages)
    assert row(ledger, wages.feed, "2026-03") == (at("2026-04-19"), at("2026-04-19"), 100)
    assert summary(ledger, wages.feed, "2026-03") == {"expected": 1, "arrived": 1, "on_time": 1}


def test_in_the_sandbox_what_is_fetched_arrives_on_its_own_day(ledger: Ledger, certificates: Contract) -> None:
    owing.enter(ledger, certificates)
    send(ledger, certificates, "2026-06-09", dt.datetime.now(SHANGHAI) + dt.timedelta(days=2000))
    assert row(ledger, certificates.feed, "2026-06-09")[0] == at("2026-06-10", 0)
    assert summary(ledger, certificates.feed, "2026-06-09") == {"expected": 1, "arrived": 1, "on_time": 1}
    expected.set_clock(ledger, None)
    assert abs(expected.judged_at(ledger) - dt.datetime.now(SHANGHAI)) < dt.timedelta(minutes=5)


# ---- counties -----------------------------------------------------------------------------------------------------


def all_counties(rows: int = 3) -> dict[str, int]:
    return dict.fromkeys(codes_in_force(), rows)


def test_each_county_owes_its_part(ledger: Ledger, workshops: Contract) -> None:
    owing.enter(ledger, workshops)
    known_since(ledger, "2025-12-31")
    owing.enter(ledger, workshops)
    assert summary(ledger, workshops.feed, "2026Q1") == {"expected": 90}
    counties = all_counties() | {"330102": 0}
    del counties["330105"]
    send(ledger, workshops, "2026Q1", at("2026-04-17"), counties=sorted(counties.items()))
    assert summary(ledger, workshops.feed, "2026Q1") == {"expected": 90, "arrived": 89, "on_time": 88, "empty": 1}
    assert stands(ledger, workshops.feed).missing_counties == (("2026Q1", "330105"),)
    # a correction brings the county that was missing, late; and changes nothing of the others
    send(ledger, workshops, "2026Q1", at("2026-05-04"), counties=[("330105", 2), ("330106", 1)], part="correction0001")
    assert summary(ledger, workshops.feed, "2026Q1") == {
        "expected": 90, "arrived": 90, "on_time": 88, "late": 1, "empty": 1,
    }  # fmt: skip
    assert row(ledger, workshops.feed, "2026Q1", "330106") == (at("2026-04-17"), at("2026-04-17"), 4)
    assert stands(ledger, workshops.feed).missing_counties == ()


def test_a_county_that_is_gone_from_what_was_sent_again_is_missing(ledger: Ledger, workshops: Contract) -> None:
    owing.enter(ledger, workshops)
    send(ledger, workshops, "2026Q1", at("2026-04-17"), counties=sorted(all_counties().items()))
    fewer = all_counties()
    del fewer["330105"]
    send(ledger, workshops, "2026Q1", at("2026-04-18"), counties=sorted(fewer.items()))
    assert row(ledger, workshops.feed, "2026Q1", "330105") == (None, None, None)
    send(ledger, workshops, "2026Q1", at("2026-05-18"), counties=sorted(all_counties().items()))
    assert row(ledger, workshops.feed, "2026Q1", "330105") == (at("2026-04-17"), at("2026-04-17"), 3)


def test_of_what_was_loaded_before_counties_were_counted_nothing_is_said(ledger: Ledger, workshops: Contract) -> None:
    send(ledger, replace(workshops, owed_by_county=None), "2026Q1", at("2026-04-17"))
    owing.enter(ledger, workshops)
    assert summary(ledger, workshops.feed, "2026Q1")["expected"] == 1
    assert summary(ledger, workshops.feed, "2026Q2") == {"expected": 90}
