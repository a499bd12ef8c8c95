"""Feeds and counties that report nothing for a time."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.integration.ledger.conftest import be_on
from tests.integration.ledger.sent import send
from tests.integration.ledger.test_expected import all_counties, at, contract, stands, summary
from threegaps.contracts.model import Contract
from threegaps.errors import LedgerError
from threegaps.ledger import owing
from threegaps.ledger.pauses import PauseKind, begin, end, pauses

pytestmark = pytest.mark.integration

Ledger = psycopg.Connection[Any]


@pytest.fixture
def certificates(ledger: Ledger) -> Contract:
    found = contract("hrss/certificates", "2026-06-01")
    owing.enter(ledger, found)
    return found


@pytest.fixture
def workshops(ledger: Ledger) -> Contract:
    found = contract("organisation/prosperity_workshops", "2025Q1")
    owing.enter(ledger, found)
    return found


def start(
    ledger: Ledger, feed: str, first: str, last: str | None = None, *, county: str = "", kind: PauseKind = "pause"
) -> list[str]:
    ended = None if last is None else dt.date.fromisoformat(last)
    return begin(ledger, feed, county, kind, dt.date.fromisoformat(first), ended, reason="why", by="who")


def stop(ledger: Ledger, feed: str, first: str, *, county: str = "", kind: PauseKind = "pause") -> list[str]:
    return end(ledger, feed, county, kind, dt.date.fromisoformat(first), reason="again", by="other")


def owed(ledger: Ledger, feed: str, county: str = "") -> list[str]:
    rows = ledger.execute(
        "select delivery from ops.expected_delivery where feed = %s and county_code = %s and not is_paused order by 1",
        [feed, county],
    ).fetchall()
    return [str(row[0]) for row in rows]


def test_days_that_are_paused_whole_are_not_owed(ledger: Ledger, certificates: Contract) -> None:
    before = owed(ledger, certificates.feed)
    assert start(ledger, certificates.feed, "2026-06-03", "2026-06-05") == ["2026-06-03", "2026-06-04", "2026-06-05"]
    assert set(before) - set(owed(ledger, certificates.feed)) == {"2026-06-03", "2026-06-04", "2026-06-05"}
    assert summary(ledger, certificates.feed, "2026-06-04") == {}
    assert "2026-06-04" not in stands(ledger, certificates.feed).late
    assert not stands(ledger, certificates.feed).paused
    # what comes all the same counts nowhere
    send(ledger, certificates, "2026-06-04", at("2026-06-05", 6))
    assert summary(ledger, certificates.feed, "2026-06-04") == {}


def test_a_period_that_is_paused_in_part_is_owed(ledger: Ledger) -> None:
    wages = contract("hrss/wage_records", "2026-03")
    owing.enter(ledger, wages)
    assert start(ledger, wages.feed, "2026-04-02", "2026-05-31") == ["2026-05"]
    # two pauses that meet cover it together
    assert start(ledger, wages.feed, "2026-04-01", "2026-04-01") == ["2026-04"]
    assert owed(ledger, wages.feed) == ["2026-03", "2026-06"]


def test_a_feed_that_is_paused_now_says_so(ledger: Ledger, certificates: Contract) -> None:
    start(ledger, certificates.feed, "2026-06-10", "2026-06-20")
    standing = stands(ledger, certificates.feed)
    assert (standing.paused, standing.closed, standing.paused_until, standing.pause_reason) == (
        True, False, dt.date(2026, 6, 20), "why",
    )  # fmt: skip
    # what it owed before, it owes still
    assert "2026-06-09" in standing.late
    assert standing.next_delivery == "2026-06-21"
    be_on(ledger, "2026-06-21")
    assert not stands(ledger, certificates.feed).paused


def test_what_is_entered_later_is_paused_too(ledger: Ledger, certificates: Contract) -> None:
    start(ledger, certificates.feed, "2026-06-10", kind="closure")
    be_on(ledger, "2026-09-30")
    owing.enter(ledger, certificates)
    assert owed(ledger, certificates.feed)[-1] == "2026-06-09"
    assert stands(ledger, certificates.feed).closed
    assert stands(ledger, certificates.feed).next_delivery is None


def test_a_county_that_closes_and_opens_twice_owes_what_is_between(ledger: Ledger, workshops: Contract) -> None:
    county = "330105"
    start(ledger, workshops.feed, "2025-01-01", kind="closure", county=county)
    stop(ledger, workshops.feed, "2025-04-01", kind="closure", county=county)
    start(ledger, workshops.feed, "2025-07-01", kind="closure", county=county)
    stop(ledger, workshops.feed, "2026-01-01", kind="closure", county=county)
    assert owed(ledger, workshops.feed, county)[:2] == ["2025Q2", "2026Q1"]
    assert owed(ledger, workshops.feed, "330102")[:5] == ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1"]
    assert [summary(ledger, workshops.feed, f"2025Q{quarter}")["expected"] for quarter in range(1, 5)] == [
        89, 90, 89, 89,
    ]  # fmt: skip
    # what a closed county sends all the same counts nowhere, and the rest of it is right
    send(ledger, workshops, "2025Q3", at("2025-10-17"), counties=sorted(all_counties().items()))
    counted = summary(ledger, workshops.feed, "2025Q3")
    assert (counted["expected"], counted["arrived"]) == (89, 89)
    assert stands(ledger, workshops.feed).missing_counties == ()
    kept = [(one.paused_from.isoformat(), str(one.paused_to), one.ended_by) for one in pauses(ledger, workshops.feed)]
    assert kept == [("2025-01-01", "2025-03-31", "other"), ("2025-07-01", "2025-12-31", "other")]


def test_a_delivery_that_no_county_owes_is_not_owed(ledger: Ledger, workshops: Contract) -> None:
    for county in all_counties():
        start(ledger, workshops.feed, "2025-04-01", "2025-06-30", county=county)
    assert "2025Q2" not in owed(ledger, workshops.feed)
    assert "2025Q2" not in stands(ledger, workshops.feed).late
    stop(ledger, workshops.feed, "2025-04-01", county="330102")
    assert "2025Q2" in owed(ledger, workshops.feed)


def test_what_is_ended_before_it_begins_never_held(ledger: Ledger, certificates: Contract) -> None:
    changed = start(ledger, certificates.feed, "2026-07-01", "2026-07-05")
    assert stop(ledger, certificates.feed, "2026-06-20") == changed
    assert pauses(ledger, certificates.feed) == []
    (withdrawn,) = pauses(ledger, certificates.feed, with_withdrawn=True)
    assert withdrawn.withdrawn_at is not None
    start(ledger, certificates.feed, "2026-07-01", "2026-07-05")


@pytest.mark.parametrize(
    ("first", "last"), [("2026-06-05", "2026-06-07"), ("2026-06-01", None), ("2026-06-03", "2026-06-03")]
)
def test_a_day_is_not_paused_twice(first: str, last: str | None, ledger: Ledger, certificates: Contract) -> None:
    start(ledger, certificates.feed, "2026-06-03", "2026-06-05")
    with pytest.raises(LedgerError, match="already"):
        start(ledger, certificates.feed, first, last)


def test_what_is_not_paused_cannot_be_ended(ledger: Ledger, certificates: Contract) -> None:
    with pytest.raises(LedgerError, match="not closed"):
        stop(ledger, certificates.feed, "2026-06-03", kind="closure")
    start(ledger, certificates.feed, "2026-06-03", "2026-06-05")
    with pytest.raises(LedgerError, match="not paused"):
        stop(ledger, certificates.feed, "2026-06-06")
    with pytest.raises(LedgerError, match="before"):
        start(ledger, certificates.feed, "2026-06-20", "2026-06-19")


def test_counts_kept_are_those_of_a_live_count(ledger: Ledger, workshops: Contract) -> None:
    send(ledger, workshops, "2026Q1", at("2026-04-17"), counties=[("330102", 1), ("330105", 0)])
    start(ledger, workshops.feed, "2026-01-01", "2026-03-31", county="330106")
    with ledger.cursor(row_factory=dict_row) as cursor:
        (live,) = cursor.execute(
            "select count(*) as expected, count(first_arrived_at) as arrived from ops.expected_delivery"
            " where feed = %s and delivery = '2026Q1' and county_code <> '' and not is_paused",
            [workshops.feed],
        ).fetchall()
    kept = summary(ledger, workshops.feed, "2026Q1")
    assert {name: kept[name] for name in live} == live == {"expected": 89, "arrived": 2}


@pytest.mark.parametrize("first", ["pause", "load"])
def test_a_pause_beside_a_load_leaves_the_counts_of_both(
    first: str, ledger: Ledger, shared_warehouse: str, workshops: Contract
) -> None:
    """Whoever counts last counts what the other has done too, whichever of the two began."""
    with psycopg.connect(shared_warehouse) as pausing, psycopg.connect(shared_warehouse) as loading:

        def pause() -> None:
            start(pausing, workshops.feed, "2026-01-01", "2026-03-31", county="330106")

        def load() -> None:
            send(loading, workshops, "2026Q1", at("2026-04-17"), counties=[("330102", 1)])

        (one, here), (other, there) = [(pause, pausing), (load, loading)][:: 1 if first == "pause" else -1]

        def after_it() -> None:
            other()
            there.commit()

        one()
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(after_it)
            for _ in range(100):
                if ledger.execute("select from pg_locks where not granted").fetchone() or waiting.done():
                    break
                time.sleep(0.05)
            here.commit()
            waiting.result(timeout=10)
    kept = summary(ledger, workshops.feed, "2026Q1")
    assert (kept["expected"], kept.get("arrived")) == (89, 1)
