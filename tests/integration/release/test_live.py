"""What readers see of the ledger as it stands: how feeds stand, and how they report."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors, sql
from psycopg.rows import dict_row

from tests.integration.ledger.sent import at, empty_ledger, judge, land, send
from tests.integration.release.small_marts import small_manifest as manifest
from threegaps.calendar import Delivery
from threegaps.contracts.due import due_moment
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import LedgerError
from threegaps.labels import FEED_STATES
from threegaps.ledger import expected, owing, pauses
from threegaps.ledger.expected import LATE_STATES
from threegaps.release.served import apply_served
from threegaps.settings import Settings
from threegaps.standards.areas import codes_in_force
from threegaps.watch import reading_ledger
from threegaps.watch.gathering import Loaded, feeds_seen
from threegaps.watch.looks import deliveries

pytestmark = pytest.mark.integration

COUNTIES = ["330102", "330105", "330106"]
COUNTED = ("on_time", "late", "empty", "incomplete", "untimed", "missing")


def contract(feed: str, first: str) -> Contract:
    return replace(find_contract(Settings.load().contracts_folder, feed), first_delivery=first)


@pytest.fixture
def ledger(served: str) -> Iterator[psycopg.Connection[Any]]:
    """An empty ledger; the day is 10 June 2026."""
    with psycopg.connect(served, autocommit=True) as connection:
        empty(connection)
        yield connection


def empty(connection: psycopg.Connection[Any]) -> None:
    empty_ledger(connection)
    expected.set_clock(connection, dt.date(2026, 6, 9))


def health(connection: psycopg.Connection[Any], feed: str) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        (found,) = cursor.execute("select * from marts.feed_health where feed = %s", [feed]).fetchall()
    return found


def rates(connection: psycopg.Connection[Any], condition: str = "true") -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"select * from marts.reporting_rate where {condition} order by feed, period_type, period_start, area_code"
        ).fetchall()


def test_health_rests_on_complete_deliveries_and_latest_judgements(ledger: psycopg.Connection[Any]) -> None:
    wages = contract("hrss/wage_records", "2026-01")
    owing.enter(ledger, wages)
    ledger.execute("update ops.feed set known_since = %s", [at("2026-01-01")])
    part1 = land(ledger, wages.feed, "2026-01", at("2026-02-18"), part="part0001")
    part2 = land(ledger, wages.feed, "2026-01", at("2026-02-18"), part="part0002")
    judge(ledger, wages, "2026-01", [part1, part2], received=100)
    part2 = land(ledger, wages.feed, "2026-01", at("2026-02-20"), part="part0002")
    judge(ledger, wages, "2026-01", [part1, part2], received=98)
    send(ledger, wages, "2026-01", at("2026-02-21"), received=7, part="correction0001")
    stopped = send(ledger, wages, "2026-02", at("2026-03-18"), status="stopped", part="part0001")
    ledger.execute("update ops.batch set stop_rule = 'too_few' where batch_id = %s", [stopped])
    found = health(ledger, wages.feed)
    said = ("last_delivery", "last_status", "last_received", "last_stop_rule", "batches_loaded", "batches_stopped",
            "rows_received", "complete_to", "state", "due_delivery", "due_on", "days_late",
            "deliveries_late")  # fmt: skip
    assert {name: found[name] for name in said} == {
        "last_delivery": "2026-02", "last_status": "stopped", "last_received": 100, "last_stop_rule": "too_few",
        "batches_loaded": 3, "batches_stopped": 1, "rows_received": 98, "complete_to": dt.date(2026, 1, 31),
        "state": "late", "due_delivery": "2026-04", "due_on": dt.date(2026, 5, 20),
        "days_late": (dt.date(2026, 6, 10) - dt.date(2026, 3, 20)).days, "deliveries_late": 3,
    }  # fmt: skip


def test_the_last_delivery_is_the_last_in_time(ledger: psycopg.Connection[Any]) -> None:
    wages = contract("hrss/wage_records", "2026-01")
    owing.enter(ledger, wages)
    send(ledger, replace(wages, cadence="quarter"), "2026Q1", at("2026-04-18"))
    send(ledger, wages, "2026-04", at("2026-05-18"), received=33)
    found = health(ledger, wages.feed)
    assert (found["last_delivery"], found["last_received"]) == ("2026-04", 33), "the cadence changed"


def test_health_is_current_between_releases_and_names_the_last_attempt(ledger: psycopg.Connection[Any]) -> None:
    wages = contract("hrss/wage_records", "2026-04")
    owing.enter(ledger, wages)
    assert health(ledger, wages.feed)["last_attempt_at"] is None
    ledger.execute(
        "insert into ops.attempt (feed, step, delivery, outcome, ended_at, cause, host, message_en)"
        " values (%s, 'land', '2026-04', 'failed', now(), 'unreachable', 'sftp.example', 'refused')",
        [wages.feed],
    )
    # Nothing has been released: what has not come is awaited for a day.
    assert [health(ledger, wages.feed)[name] for name in ("state", "days_late", "deliveries_late")] == ["awaited", 0, 0]
    ledger.execute("update ops.attempt set started_at = now() - interval '1 day'")
    found = health(ledger, wages.feed)
    assert (found["state"], found["last_attempt_step"], found["last_attempt_outcome"], found["last_attempt_cause"]) == (
        "late", "land", "failed", "unreachable",
    )  # fmt: skip
    send(ledger, wages, "2026-04", at("2026-06-09"), is_complete=False)
    assert health(ledger, wages.feed)["state"] == "incomplete"
    send(ledger, wages, "2026-04", at("2026-06-09"))
    found = health(ledger, wages.feed)
    assert (found["state"], found["days_late"], found["rows_received"]) == ("in_time", 0, 100)
    owing.enter_all(ledger, [])
    assert health(ledger, wages.feed)["state"] == "retired"


def one_state(connection: psycopg.Connection[Any], feed: str) -> str:
    """How a feed stands: for readers, for commands, for the watch and its page; the same for all."""
    (standing,) = [one for one in expected.standing(connection) if one.feed == feed]
    reading = reading_ledger.read(connection)
    symptoms = deliveries.seen(reading.owed, {}, reading.judged_at)
    (seen,) = [one for one in feeds_seen(reading, Loaded({}, {}), symptoms) if one.feed == feed]
    found = health(connection, feed)
    assert seen.last_attempt_at == found["last_attempt_at"], "the last of whatever outcome"
    assert {standing.state, seen.state} == {found["state"]}
    assert (found["days_late"], found["deliveries_late"]) == (standing.days_late, standing.deliveries_late)
    assert (seen.days_late, seen.deliveries_late) == (standing.days_late, standing.deliveries_late)
    is_late = standing.state in LATE_STATES and bool(standing.late)
    assert (standing.days_late > 0, standing.deliveries_late) == (is_late, len(standing.late) if is_late else 0)
    # What is late is seen, and nothing else is: what is listed and what is told agree.
    assert bool(symptoms) == (found["state"] in LATE_STATES)
    return standing.state


def test_a_feed_stands_in_one_way_for_readers_for_commands_and_for_the_watch(
    ledger: psycopg.Connection[Any],
) -> None:
    workshops = contract("organisation/prosperity_workshops", "2025Q4")
    feed = workshops.feed
    expected.set_clock(ledger, dt.date(2026, 1, 15))
    owing.enter(ledger, workshops)
    assert one_state(ledger, feed) == "not_due"
    expected.set_clock(ledger, dt.date(2026, 3, 9))
    assert one_state(ledger, feed) == "late", "nothing was tried for two months"
    ledger.execute(
        "insert into ops.attempt (feed, step, delivery, outcome, started_at, ended_at)"
        " values (%s, 'land', '2025Q4', 'nothing_new', now() - interval '23 hours', now())",
        [feed],
    )
    assert one_state(ledger, feed) == "awaited"
    ledger.execute("update ops.attempt set started_at = now() - interval '25 hours'")
    assert one_state(ledger, feed) == "late"
    counties = dict.fromkeys(codes_in_force(), 3)
    send(ledger, workshops, "2025Q4", at("2026-02-01"), is_complete=False, counties=sorted(counties.items()))
    assert one_state(ledger, feed) == "incomplete"
    send(ledger, workshops, "2025Q4", at("2026-02-02"), counties=sorted(counties.items()))
    assert one_state(ledger, feed) == "in_time"
    del counties["330105"]
    send(ledger, workshops, "2025Q4", at("2026-02-03"), counties=sorted(counties.items()))
    assert one_state(ledger, feed) == "incomplete", "a county lacks"
    (cause,) = deliveries.seen(reading_ledger.read(ledger).owed, {}, at("2026-03-09"))
    assert "2025Q4缺1/90个县(市、区):330105 拱墅区。" in cause.detail_zh
    pauses.begin(ledger, feed, "", "pause", dt.date(2026, 3, 1), dt.date(2026, 3, 31), reason="r", by="b")
    assert one_state(ledger, feed) == "incomplete", "what lacks was owed before the pause"
    counties["330105"] = 3
    send(ledger, workshops, "2025Q4", at("2026-02-04"), counties=sorted(counties.items()))
    assert one_state(ledger, feed) == "paused"
    expected.set_clock(ledger, dt.date(2026, 6, 9))
    owing.enter(ledger, workshops)
    assert one_state(ledger, feed) == "late", "2026Q1"
    pauses.begin(ledger, feed, "", "closure", dt.date(2026, 6, 1), None, reason="r", by="b")
    assert one_state(ledger, feed) == "closed", "who reports no more is late with nothing"
    pauses.end(ledger, feed, "", "closure", dt.date(2026, 6, 5), reason="r", by="b")
    assert one_state(ledger, feed) == "late"


def test_every_word_for_a_feed_by_what_it_owes_is_explained_to_readers(ledger: psycopg.Connection[Any]) -> None:
    row = ledger.execute(
        "select col_description('marts.feed_health'::regclass, attnum) from pg_attribute"
        " where attrelid = 'marts.feed_health'::regclass and attname = 'state'"
    ).fetchone()
    assert row is not None
    written = set(re.findall(r"then '([a-z_]+)'|else '([a-z_]+)'", expected.STANDING.split("as state")[0]))
    states = {one or other for one, other in written} & set(FEED_STATES) | {"retired"}
    assert len(states) == 8
    assert {state for state in FEED_STATES if f"{state}{FEED_STATES[state][0]}" in row[0]} == states


def test_what_releases_served_of_health_stays_where_it_was(warehouse: str) -> None:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        for table in ("marts.feed_health", "history.feed_health"):
            connection.execute(f"create table {table} (feed text, last_delivery text, last_message_zh text)".encode())
            connection.execute(f"insert into {table} values ('a/b', '2026-01', 'said')".encode())
        connection.execute("create view history.feed_health_at as select feed from marts.feed_health")
    apply_served(warehouse, manifest())
    with psycopg.connect(warehouse, autocommit=True) as connection:
        for table in ("history.feed_health_released", "history.feed_health"):
            assert connection.execute(f"select * from {table}".encode()).fetchall() == [("a/b", "2026-01", None)]
        assert connection.execute("select feed from history.feed_health_at").fetchall() == [("a/b",)]
        assert connection.execute("select * from marts.feed_health").fetchall() == []
    apply_served(warehouse, manifest())


def test_rates_by_month_quarter_and_year(ledger: psycopg.Connection[Any]) -> None:
    certificates = contract("hrss/certificates", "2026-05-30")
    enterprises = contract("hrss/skill_enterprises", "2026Q1")
    owing.enter_all(ledger, [certificates, enterprises])
    ledger.execute("update ops.feed set known_since = %s", [at("2026-01-01")])
    owing.enter_all(ledger, [certificates, enterprises])
    for day, fetched, received in (("2026-05-30", "2026-05-31", 9), ("2026-05-31", "2026-06-03", 9),
                                   ("2026-06-01", "2026-06-02", 0)):  # fmt: skip
        send(ledger, certificates, day, at(fetched, 6), received=received)
    found = {
        (rate["feed"], rate["period_type"], rate["period_start"].isoformat()): (
            rate["expected"], *(rate[name] for name in COUNTED), rate["arrived_percent"], rate["on_time_percent"],
        )
        for rate in rates(ledger)
    }  # fmt: skip
    assert found[certificates.feed, "month", "2026-05-01"] == (2, 1, 1, 0, 0, 0, 0, 100, 50)
    assert found[certificates.feed, "month", "2026-06-01"] == (9, 0, 0, 1, 0, 0, 8, Decimal("11.11"), 0)
    assert found[certificates.feed, "year", "2026-01-01"][:2] == (11, 1)
    assert found[enterprises.feed, "quarter", "2026-01-01"] == (1, 0, 0, 0, 0, 0, 1, 0, 0)
    assert (enterprises.feed, "month", "2026-03-01") not in found


@pytest.fixture
def officer(postgres: Any, served: str) -> str:
    """A login role of county 330102."""
    name = "live_officer_330102"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is None:
            connection.execute(f"create role {name} login connection limit 5 in role county_reader".encode())
            connection.execute(f"grant {name}, bi_reader, county_reader to pipeline".encode())
    with psycopg.connect(served) as connection:
        connection.execute("insert into ops.county_reader values (%s, '330102') on conflict do nothing", [name])
    return name


def as_role(connection: psycopg.Connection[Any], role: str, query: str) -> list[tuple[Any, ...]]:
    with connection.transaction():
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        return connection.execute(query.encode()).fetchall()


def test_all_is_for_those_who_see_all_and_a_county_sees_its_own(ledger: psycopg.Connection[Any], officer: str) -> None:
    workshops = contract("organisation/prosperity_workshops", "2026Q1")
    owing.enter(ledger, workshops)
    send(ledger, workshops, "2026Q1", at("2026-04-17"), counties=[(code, 2) for code in COUNTIES])
    areas = "select distinct area_code from marts.reporting_rate order by 1"
    assert len(as_role(ledger, "bi_reader", areas)) == 91
    assert as_role(ledger, officer, areas) == [("330102",)]
    assert as_role(ledger, "county_reader", areas) == []
    assert len(as_role(ledger, "bi_reader", "select * from marts.feed_health")) == 1
    assert as_role(ledger, officer, "select * from marts.feed_health") == []
    for role in ("bi_reader", officer):
        with pytest.raises(errors.InsufficientPrivilege):
            as_role(ledger, role, "select * from ops.expected_delivery")
    with pytest.raises(errors.InsufficientPrivilege):
        as_role(ledger, "statistician", "select * from marts.reporting_rate")
    # nothing that the reader asks is worked out on rows that are not the reader's
    assert as_role(ledger, officer, "select 1 / (feed <> 'organisation/prosperity_workshops')::int"
                   " from marts.feed_health") == []  # fmt: skip


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["send", "correct", "close", "reopen", "pause", "close_feed", "reopen_feed"]),
        st.integers(0, 2),
        st.integers(0, 5),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=12,
)


@given(EVENTS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rates_are_shares_and_counties_add_up_whatever_happens(
    ledger: psycopg.Connection[Any], events: list[tuple[str, int, int, int, bool]]
) -> None:
    workshops = contract("organisation/prosperity_workshops", "2024Q4")
    deliveries = ["2024Q4", "2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1"]
    empty(ledger)
    owing.enter(ledger, workshops)
    ledger.execute("update ops.feed set known_since = %s", [at("2025-05-01")])
    owing.enter(ledger, workshops)
    for what, place, which, size, is_late in events:
        delivery, county = Delivery.parse("quarter", deliveries[which]), COUNTIES[place]
        came = due_moment(workshops, delivery) + dt.timedelta(hours=1 if is_late else -1)
        if what in {"send", "correct"}:
            counties = [(code, size) for code in COUNTIES[: place + 1]]
            part = "file" if what == "send" else "correction0001"
            is_complete = is_late or size > 1
            send(ledger, workshops, delivery.key, came, received=size, counties=counties, is_complete=is_complete,
                 part=part)  # fmt: skip
            continue
        of_county = "" if what.endswith("_feed") else county
        try:
            if what.startswith("close"):
                pauses.begin(ledger, workshops.feed, of_county, "closure", delivery.start, None, reason="r", by="b")
            elif what.startswith("reopen"):
                pauses.end(ledger, workshops.feed, of_county, "closure", delivery.start, reason="r", by="b")
            else:
                pauses.begin(ledger, workshops.feed, county, "pause", delivery.start, delivery.end, reason="r", by="b")
        except LedgerError:
            continue
    kept = ledger.execute("select * from ops.delivery_summary order by 1, 2").fetchall()
    expected.summarise(ledger, workshops.feed)
    assert ledger.execute("select * from ops.delivery_summary order by 1, 2").fetchall() == kept
    found = rates(ledger)
    for rate in found:
        assert rate["expected"] == sum(rate[name] for name in COUNTED)
        assert all(value is None or 0 <= value <= 100 for name, value in rate.items() if name.endswith("_percent"))
    for name in ("expected", *COUNTED):
        by_level: dict[tuple[Any, ...], dict[str, int]] = {}
        for rate in found:
            sums = by_level.setdefault((rate["period_type"], rate["period_start"]), {"province": 0, "county": 0})
            sums[rate["area_level"]] += rate[name]
        assert all(sums["province"] == sums["county"] for sums in by_level.values()), name
