"""What is owed, and what comes of it, where real feeds land, load, are purged, paused and built anew."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from small_feeds import ENTERPRISES, MONTH, TRAINING, WAGES, WageFolder, wage_part, wage_rows
from typer.testing import CliRunner

from sandbox.calendar import HORIZON
from sandbox.feeds import every
from tests.conftest import Warehouses
from tests.integration.faults.conftest import LAST_DAY, Departments, point_at
from threegaps import feed_run
from threegaps.calendar import Delivery
from threegaps.cli.app import app
from threegaps.contracts.loader import load_contracts
from threegaps.errors import ContractError, LedgerError
from threegaps.feed_run.expected import enter_expected
from threegaps.ledger.expected import set_clock
from threegaps.one_machine import departments
from threegaps.one_machine.ended_series import pause_ended_series
from threegaps.settings import SHANGHAI, Settings

pytestmark = pytest.mark.integration

WORKSHOPS = "organisation/prosperity_workshops"
INCOME = "statistics/resident_income"


def ask(dsn: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode(), values).fetchall()


def owed(dsn: str, feed: str, delivery: str) -> dict[str, int]:
    names = ("expected", "arrived", "on_time", "late", "empty", "incomplete", "untimed")
    (counts,) = ask(
        dsn, f"select {', '.join(names)} from ops.delivery_summary where feed = %s and delivery = %s", feed, delivery
    )
    return {name: count for name, count in zip(names, counts, strict=True) if count}


def test_a_load_enters_what_is_owed_and_what_has_come(reading: Departments, wages: WageFolder, warehouse: str) -> None:
    wages.send(wage_part(wage_rows(60)))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    counts = owed(warehouse, WAGES, MONTH)
    assert counts["expected"] == counts["arrived"] == 1
    assert ask(
        warehouse, "select rows, completed_at is not null from ops.expected_delivery where feed = %s and delivery = %s",
        WAGES, MONTH,
    ) == [(60, True)]  # fmt: skip
    judged_at = dt.datetime(2026, 7, 2, tzinfo=SHANGHAI)
    assert ask(warehouse, "select judged_at from ops.delivery_clock") == [(judged_at,)]
    # a purge and a correction change nothing of it
    before = ask(warehouse, "select * from ops.expected_delivery where feed = %s order by delivery", WAGES)
    feed_run.purge(
        ask(warehouse, "select min(landed_object_id) from ops.landed_object")[0][0],
        purged_by="steward", reason="asked for", task_logs=[], own_logs=[],
    )  # fmt: skip
    assert ask(warehouse, "select * from ops.expected_delivery where feed = %s order by delivery", WAGES) == before


def test_each_county_of_a_workbook_is_counted(reading: Departments, warehouse: str) -> None:
    quarter = "2024Q1"
    feed_run.land(WORKSHOPS, quarter)
    feed_run.load(WORKSHOPS, quarter)
    found = ask(
        warehouse,
        "select county_code, rows from ops.expected_delivery where feed = %s and delivery = %s and county_code <> ''",
        WORKSHOPS, quarter,
    )  # fmt: skip
    assert len(found) == 90
    # every sheet was there, blank or not; rows that were refused have come too
    assert all(rows is not None for _, rows in found)
    ((received,),) = ask(warehouse, "select received - duplicates from ops.batch where feed = %s", WORKSHOPS)
    ((nowhere,),) = ask(
        warehouse, "select count(*) from quarantine.refused_row where feed = %s and county_code = 'unknown'", WORKSHOPS
    )
    assert sum(rows for _, rows in found) == received - nowhere > 0
    counts = owed(warehouse, WORKSHOPS, quarter)
    assert counts["expected"] == counts["arrived"] == 90
    assert counts["empty"] == sum(rows == 0 for _, rows in found)


def test_a_pause_outlives_the_warehouse_and_holds_up_no_list(
    reading: Departments, warehouse: str, warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_expected(Settings.load())
    first, last = dt.date(2024, 1, 1), dt.date(2024, 3, 31)
    said = {"reason": "系统迁移", "decided_by": "steward"}
    assert feed_run.decide(ENTERPRISES, "pause", county_code=None, first=first, last=last, **said) == ["2024Q1"]
    assert feed_run.decide(ENTERPRISES, "close", county_code=None, first=dt.date(2026, 4, 1), **said)
    assert feed_run.decide(ENTERPRISES, "reopen", county_code=None, first=dt.date(2026, 4, 1), **said)
    assert feed_run.decide(WORKSHOPS, "close", county_code="330105", first=first, **said)[0] == "2024Q1"
    # a decision that lies in landing is no delivery: an earlier list still lands and loads
    feed_run.land(ENTERPRISES, "2024Q3")
    assert feed_run.load(ENTERPRISES, "2024Q3")
    assert owed(warehouse, ENTERPRISES, "2024Q1") == {}
    assert owed(warehouse, WORKSHOPS, "2024Q1") == {"expected": 89}
    kept = "select feed, county_code, kind, paused_from, paused_to, reason, recorded_by, recorded_at, ended_by," \
        " ended_at, withdrawn_at from ops.reporting_pause order by 1, 2, 4"  # fmt: skip
    before = ask(warehouse, kept)
    assert len(before) == 3
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    enter_expected(Settings.load())
    for _ in range(2):
        assert all(one.error is None for one in feed_run.rebuild())
        assert ask(anew, kept) == before
    assert owed(anew, ENTERPRISES, "2024Q1") == {}
    assert owed(anew, WORKSHOPS, "2024Q1") == {"expected": 89}
    assert owed(anew, ENTERPRISES, "2024Q3") == owed(warehouse, ENTERPRISES, "2024Q3") == {"expected": 1, "arrived": 1,
                                                                                         "untimed": 1}  # fmt: skip


def test_a_decision_needs_a_name_a_reason_and_a_county_that_owes(reading: Departments, warehouse: str) -> None:
    day = dt.date(2026, 7, 1)
    for county, reason, by in ((None, " ", "b"), (None, "r", ""), ("330105", "r", "b")):
        with pytest.raises(LedgerError):
            feed_run.decide(ENTERPRISES, "close", county_code=county, first=day, reason=reason, decided_by=by)
    with pytest.raises(LedgerError, match="no county"):
        feed_run.decide(WORKSHOPS, "close", county_code="330103", first=day, reason="r", decided_by="b")
    with pytest.raises(ContractError):
        feed_run.decide("hrss/nothing", "close", county_code=None, first=day, reason="r", decided_by="b")
    assert ask(warehouse, "select count(*) from ops.reporting_pause") == [(0,)]
    assert ask(warehouse, "select count(*) from ops.landed_object") == [(0,)]


def test_the_commands_pause_and_say_how_feeds_stand(reading: Departments, warehouse: str) -> None:
    enter_expected(Settings.load())

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert {feed["state"] for feed in run("feeds")} <= {"awaited", "not_due"}
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(
            "insert into ops.attempt (feed, step, delivery, outcome, started_at, ended_at)"
            " values (%s, 'land', '2026-05', 'nothing_new', now() - interval '2 days', now())",
            [WAGES],
        )
    feeds = {feed["feed"]: feed for feed in run("feeds")}
    late = feeds[TRAINING]
    assert late["state"] == "late"
    # due since the day after it, in the sandbox's time
    assert (late["due_delivery"], late["late"][-1], late["next_due_at"][:16]) == (
        LAST_DAY, LAST_DAY, "2026-07-02T10:30",
    )  # fmt: skip
    assert feeds[WAGES]["due_at"] == "2026-06-22T12:00:00+08:00"
    assert (feeds[WAGES]["state"], feeds[WAGES]["days_late"]) == ("late", 0), "since it is asked for"
    done = run("feeds", "close", WAGES, "--from", "2023-01-01", "--why", "moved", "--by", "steward")
    assert done["deliveries"][0] == "2023-01"
    assert {feed["feed"]: feed["state"] for feed in run("feeds")}[WAGES] == "closed"
    (wages_now,) = [feed for feed in run("feeds") if feed["feed"] == WAGES]
    assert (wages_now["late"], wages_now["days_late"]) == ([], 0)
    (closure,) = run("feeds", "pauses", WAGES)
    assert (closure["kind"], closure["paused_to"], closure["recorded_by"]) == ("closure", None, "steward")
    run("feeds", "reopen", WAGES, "--from", "2026-05-01", "--why", "back", "--by", "steward")
    (wages_now,) = [feed for feed in run("feeds") if feed["feed"] == WAGES]
    assert (wages_now["late"], wages_now["days_late"]) == (["2026-05"], 0)
    # by the ledger's day, as the watch and readers judge, wherever the command's own clock stands
    with psycopg.connect(warehouse, autocommit=True) as connection:
        set_clock(connection, dt.date(2026, 7, 10))
    assert run("feeds", "owed", WAGES)["days_late"] == 10
    assert {feed["feed"]: feed["days_late"] for feed in run("feeds")}[WAGES] == 10
    resumed = CliRunner().invoke(app, ["feeds", "resume", WAGES, "--from", "2026-05-01", "--why", "back"])
    assert "not paused" in str(resumed.exception)


def paused(dsn: str) -> dict[str, tuple[Any, ...]]:
    rows = ask(dsn, "select feed, paused_from, paused_to, reason from ops.reporting_pause where withdrawn_at is null")
    return {feed: rest for feed, *rest in rows}


def test_what_the_departments_will_never_send_is_not_owed(reading: Departments, warehouse: str) -> None:
    """Which feeds these are their plan of deliveries says: those whose published figures end before its last day."""
    settings = Settings.load()
    enter_expected(settings)
    contracts = {contract.feed: contract for contract in load_contracts(settings.contracts_folder)}
    last = {}
    for feed in every():
        due = [Delivery.parse(contracts[feed.name].cadence, one.delivery) for one in feed.dues(HORIZON)]
        if due and max(due, key=lambda one: one.start).next().end <= HORIZON:
            last[feed.name] = max(due, key=lambda one: one.start)
    assert INCOME in last
    assert WAGES not in last
    assert sorted(pause_ended_series(settings)) == sorted(last)
    assert {feed: first for feed, (first, *_) in paused(warehouse).items()} == {
        feed: delivery.next().start for feed, delivery in last.items()
    }
    assert all(to is None and last[feed].key in reason for feed, (_, to, reason) in paused(warehouse).items())
    feed_run.land(INCOME, last[INCOME].key)
    feed_run.load(INCOME, last[INCOME].key)
    feeds = {feed["feed"]: feed for feed in json.loads(CliRunner().invoke(app, ["feeds", "--json"]).stdout)}
    assert (feeds[INCOME]["late"], feeds[INCOME]["next_due_at"]) == ([], None)
    # Set up again it says nothing twice, and what somebody decided since stands.
    feed_run.decide(
        INCOME, "resume", county_code=None, first=last[INCOME].next().start, reason="they came", decided_by="steward"
    )
    assert pause_ended_series(settings) == []
    assert set(paused(warehouse)) == last.keys() - {INCOME}


def test_a_deployment_pauses_series_that_have_ended_too(
    reading: Departments, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threegaps.orchestration.pools.import_pools", lambda _: [])
    monkeypatch.setattr(departments, "last_deliveries", lambda _: (dt.date(2026, 12, 31), {WAGES: "2026-03"}))
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    assert paused(warehouse)[WAGES][0] == dt.date(2026, 4, 1)
    monkeypatch.setenv("THREEGAPS_SANDBOX", "0")
    monkeypatch.setattr(departments, "last_deliveries", lambda _: (dt.date(2026, 12, 31), {ENTERPRISES: "2025Q4"}))
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    assert set(paused(warehouse)) == {WAGES}, "real departments go on"


def test_a_series_ends_where_its_plan_says(
    reading: Departments, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another feed, of another cadence; and the last that is planned may come as late as the last day."""
    monkeypatch.setattr(
        departments, "last_deliveries", lambda _: (dt.date(2026, 12, 31), {WAGES: "2026-03", ENTERPRISES: "2026Q4"})
    )
    enter_expected(Settings.load())
    assert pause_ended_series(Settings.load()) == [WAGES]
    assert paused(warehouse)[WAGES][0] == dt.date(2026, 4, 1)
