"""What is kept of rates when it is written says what a count made live would say, whatever happened before."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest

from tests.integration.ledger import counted_live
from tests.integration.ledger.sent import at, empty_ledger, judge, land, send
from tests.integration.release.small_marts import small_manifest as manifest
from threegaps.calendar import Delivery
from threegaps.contracts.due import due_moment
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import LedgerError
from threegaps.ledger import batches, expected, migrate, owing, pauses
from threegaps.release.served import apply_served
from threegaps.settings import Settings

pytestmark = pytest.mark.integration

Ledger = psycopg.Connection[Any]
COUNTIES = ["330102", "330105", "330106"]
COUNTED = "expected, arrived, on_time, late, empty, incomplete, untimed"
_TOTALS = (
    "select feed, batches_loaded, batches_stopped, batches_failed, last_loaded_at, rows_received, rows_accepted,"
    " rows_refused, rows_duplicate, refused_open, complete_to from marts.feed_health where last_delivery is not null"
    " or batches_loaded + batches_stopped + batches_failed > 0"
)
_KEPT = f"select feed, area_code, period_type, period_start, period_end, {COUNTED} from marts.reporting_rate"


def contract(feed: str, first: str, **changes: Any) -> Contract:
    return replace(find_contract(Settings.load().contracts_folder, feed), first_delivery=first, **changes)


@pytest.fixture
def ledger(served: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """An empty ledger of three counties; the day is 10 June 2026."""
    monkeypatch.setattr(owing, "codes_in_force", lambda: frozenset(COUNTIES))
    with psycopg.connect(served, autocommit=True) as connection:
        empty_ledger(connection)
        be_on(connection, dt.date(2026, 6, 10))
        yield connection


def be_on(connection: Ledger, day: dt.date) -> None:
    expected.set_clock(connection, day - dt.timedelta(days=1))


def counted(connection: Ledger, query: str) -> set[tuple[Any, ...]]:
    return set(connection.execute(query.encode()).fetchall())


def is_kept_as_counted(connection: Ledger) -> bool:
    """Whether what is kept says what a live count says; and shares are shares."""
    kept = counted(connection, _KEPT)
    judged = counted(connection, "select batch_id from ops.batch where is_latest_judgement")
    percents = connection.execute(
        "select count(*) from marts.reporting_rate where least(arrived_percent, on_time_percent, late_percent,"
        " empty_percent, missing_percent) < 0 or greatest(arrived_percent, on_time_percent, late_percent,"
        " empty_percent, missing_percent) > 100"
    ).fetchone()
    return (
        kept == counted(connection, counted_live.RATES)
        and judged == counted(connection, counted_live.LATEST_JUDGEMENTS)
        and counted(connection, _TOTALS) == counted(connection, counted_live.TOTALS)
        and percents == (0,)
    )


def rate(connection: Ledger, feed: str, period_type: str, start: str, area: str = "330000") -> dict[str, int] | None:
    """The counts of one period that are not nought; None where it has no row."""
    row = connection.execute(
        f"select {COUNTED} from marts.reporting_rate"
        " where feed = %s and period_type = %s and period_start = %s and area_code = %s",
        [feed, period_type, start, area],
    ).fetchone()
    return None if row is None else {name: count for name, count in zip(COUNTED.split(", "), row, strict=True) if count}


# ---- whatever happens -----------------------------------------------------------------------------------------------


@dataclass
class Departments:
    """Three feeds whose departments, contracts and clock do whatever may happen, by chance."""

    connection: Ledger
    chance: random.Random
    contracts: dict[str, Contract] = field(default_factory=dict)
    today: dt.date = dt.date(2026, 6, 10)
    loaded: list[tuple[str, str, int, int]] = field(default_factory=list)

    def begin(self) -> None:
        for one in (
            contract("organisation/prosperity_workshops", "2025Q2"),
            contract("hrss/wage_records", "2025-10"),
            contract("hrss/certificates", "2026-05-20"),
        ):
            self.contracts[one.feed] = one
            owing.enter(self.connection, one)

    def step(self) -> str:
        """One event; what it was."""
        acts = (
            self.send, self.send, self.send, self.send_empty, self.correct, self.repair, self.send_stopped,
            self.judge_again, self.begin_pause, self.end_pause, self.end_pause, self.move_clock, self.move_clock,
            self.change_contract, self.change_contract, self.enter_again, self.be_known, self.retire,
        )  # fmt: skip
        act = self.chance.choice(acts)
        try:
            act()
        except LedgerError:
            return f"{act.__name__}, refused"
        return act.__name__

    def _some(self) -> tuple[Contract, Delivery, dt.datetime]:
        """A feed, a delivery of it, and a moment before or after it was due."""
        which = self.contracts[self.chance.choice(sorted(self.contracts))]
        back = self.chance.choice([0, 1, 3, 20, 40, 90, 200])
        delivery = Delivery.containing(which.cadence, self.today - dt.timedelta(days=back))
        hours = self.chance.choice([-30, -1, 1, 50, 900])
        return which, delivery, due_moment(which, delivery) + dt.timedelta(hours=hours)

    def send(self, received: int | None = None, part: str = "file", status: str = "loaded") -> None:
        which, delivery, came = self._some()
        size = self.chance.choice([1, 3, 50]) if received is None else received
        named = (
            [] if which.owed_by_county is None or not size else self.chance.sample(COUNTIES, self.chance.randint(1, 3))
        )
        landed = land(self.connection, which.feed, delivery.key, came, part=part)
        batch_id = judge(
            self.connection, which, delivery.key, [landed], received=size, status=status,
            is_complete=self.chance.random() < 0.8, counties=[(code, self.chance.choice([0, size])) for code in named],
        )  # fmt: skip
        if status == "loaded":
            self.loaded.append((which.feed, delivery.key, landed, batch_id))

    def send_empty(self) -> None:
        self.send(received=0)

    def correct(self) -> None:
        self.send(part="correction0001")

    def repair(self) -> None:
        self.send(part="replay-0001")

    def send_stopped(self) -> None:
        self.send(status="stopped")

    def judge_again(self) -> None:
        if not self.loaded:
            return
        feed, delivery, landed, batch_id = self.loaded.pop(self.chance.randrange(len(self.loaded)))
        which = self.contracts[feed]
        try:
            Delivery.parse(which.cadence, delivery)
        except Exception:  # noqa: BLE001  # of another cadence: such a batch is judged no more
            return
        again = judge(self.connection, which, delivery, [landed], received=7, supersedes=batch_id)
        self.loaded.append((feed, delivery, landed, again))

    def _pausing(self) -> tuple[str, str, Any, Delivery]:
        which, delivery, _ = self._some()
        county = "" if which.owed_by_county is None else self.chance.choice(["", *COUNTIES])
        return which.feed, county, self.chance.choice(["pause", "closure"]), delivery

    def begin_pause(self) -> None:
        feed, county, kind, delivery = self._pausing()
        last = None if kind == "closure" else delivery.end
        pauses.begin(self.connection, feed, county, kind, delivery.start, last, reason="r", by="b")

    def end_pause(self) -> None:
        feed, county, kind, delivery = self._pausing()
        pauses.end(self.connection, feed, county, kind, delivery.start, reason="r", by="b")

    def move_clock(self) -> None:
        """Nothing is written but the moment itself; now and then it is put back."""
        self.today += dt.timedelta(days=self.chance.choice([-15, -1, 1, 1, 5, 30]))
        be_on(self.connection, self.today)

    def change_contract(self) -> None:
        feed = self.chance.choice(sorted(self.contracts))
        which = self.contracts[feed]
        change = self.chance.choice(["cadence", "due", "counties"])
        if change == "cadence":
            cadence = self.chance.choice(
                ["day", "month", "quarter", "year"] if "wage" in feed else ["month", "quarter"]
            )
            first = Delivery.containing(cadence, self.today - dt.timedelta(days=self.chance.choice([0, 60])))
            which = replace(which, cadence=cadence, first_delivery=first.key)
        elif change == "due":
            which = replace(which, due_cron=f"0 8 {self.chance.randint(1, 27)} * *")
        elif "workshops" in feed:
            which = replace(which, owed_by_county=None if which.owed_by_county else "county_code")
        self.contracts[feed] = which
        owing.enter(self.connection, which)

    def enter_again(self) -> None:
        owing.enter_all(self.connection, self.contracts.values())

    def be_known(self) -> None:
        self.connection.execute(
            "update ops.feed set known_since = %s", [at(self.chance.choice(["2025-07-01", "2026-03-01"]))]
        )
        self.enter_again()

    def retire(self) -> None:
        owing.enter_all(self.connection, [])


@pytest.mark.parametrize("seed", range(8))
def test_what_is_kept_is_what_a_live_count_says_whatever_happens(ledger: Ledger, seed: int) -> None:
    departments = Departments(ledger, random.Random(seed))
    departments.begin()
    done = []
    for _ in range(40):
        done.append(departments.step())
        assert is_kept_as_counted(ledger), (seed, done)
    # and counted anew altogether nothing changes
    before = counted(ledger, _KEPT)
    for feed in departments.contracts:
        expected.summarise(ledger, feed)
    assert counted(ledger, _KEPT) == before


def test_counts_rest_on_the_last_judgement_of_what_was_sent_as_original(ledger: Ledger) -> None:
    wages, enrollments = contract("hrss/wage_records", "2026-01"), contract("hrss/training_enrollments", "2026-06-03")
    day = at("2026-06-09")

    def landed(*parts: str, month: str = "2026-01") -> list[int]:
        return [land(ledger, wages.feed, month, day, part=part) for part in parts]

    def window(name: str) -> int:
        of_day = land(ledger, enrollments.feed, "2026-06-03", day, part=name)
        return judge(ledger, enrollments, "2026-06-03", [of_day], is_whole=False)

    part1, part2 = landed("part0001", "part0002")
    judge(ledger, wages, "2026-01", [part1, part2])
    # One part is sent again: the batch of both as they are now.
    sent_again = judge(ledger, wages, "2026-01", [part1, *landed("part0002")])
    judge(ledger, wages, "2026-01", landed("correction0001"), is_whole=False)
    judge(ledger, wages, "2026-01", [part1], status="failed")
    judge(ledger, wages, "2026-02", landed("part0001", month="2026-02"), status="stopped", is_complete=False)
    a_part = judge(ledger, wages, "2026-02", landed("part0001", month="2026-02"), is_complete=False, is_whole=False)
    judge(ledger, wages, "2026-02", landed("replay-0001", month="2026-02"), is_complete=False, is_whole=False)
    windows = [window("window-1"), window("window-2")]
    found = counted(ledger, "select batch_id from ops.batch where is_latest_judgement")
    assert found == {(sent_again,), (a_part,), *((one,) for one in windows)}


def test_totals_follow_a_batch_through_all_that_may_become_of_it(ledger: Ledger) -> None:
    wages = contract("hrss/wage_records", "2026-03")
    owing.enter(ledger, wages)
    judged = batches.Judged(10, 1, 9, 7, 2, 0, {}, {}, "said", "said")
    merged = batches.Merged(7, 0, 0, 0)

    def begin(part: str, supersedes: int | None = None) -> int:
        landed = land(ledger, wages.feed, "2026-03", at("2026-04-10"), part=part)
        return batches.begin_batch(
            ledger, feed=wages.feed, delivery=Delivery.parse("month", "2026-03"), landed_object_ids=[landed],
            is_whole=True, contract_hash="h", code_version="1", pseudonym_key_version="1",
            supersedes=None if supersedes is None else batches.get_batch(ledger, supersedes),
        )  # fmt: skip

    def finish(batch_id: int) -> None:
        batches.finish_batch(
            ledger, batch_id, judged=judged, merged=merged, is_complete=True, watermark_from=None, watermark_to=None
        )

    def totals() -> tuple[Any, ...]:
        assert is_kept_as_counted(ledger)
        row = ledger.execute(
            "select batches_loaded, batches_stopped, batches_failed, rows_received, complete_to from marts.feed_health"
        ).fetchone()
        assert row is not None
        return row

    first = begin("file")
    assert totals() == (0, 0, 0, 0, None)
    batches.stop_batch(ledger, first, rule="r", judged=judged)
    assert totals() == (0, 1, 0, 0, None)
    batches.fail_batch(ledger, begin("file"), message_en="no", message_zh="否")
    assert totals() == (0, 1, 1, 0, None)
    begin("file")
    batches.abandon_judging(ledger, wages.feed)
    assert totals() == (0, 1, 2, 0, None)
    loaded = begin("file")
    finish(loaded)
    assert totals() == (1, 1, 2, 9, dt.date(2026, 3, 31))
    finish(begin("file", supersedes=loaded))
    assert totals() == (1, 1, 2, 9, dt.date(2026, 3, 31))
    finish(begin("correction0001"))
    assert totals() == (2, 1, 2, 9, dt.date(2026, 3, 31))


def test_a_batch_that_fails_as_the_session_ends_is_counted_by_the_next_run(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    wages = contract("hrss/wage_records", "2026-03")
    owing.enter(ledger, wages)
    batch = batches.begin_batch(
        ledger,
        feed=wages.feed,
        delivery=Delivery.parse("month", "2026-03"),
        landed_object_ids=[land(ledger, wages.feed, "2026-03", at("2026-04-10"))],
        is_whole=True,
        contract_hash="h",
        code_version="1",
        pseudonym_key_version="1",
    )

    def cut(*_: object) -> None:
        raise psycopg.OperationalError

    for name, work in (
        ("recount", lambda: batches.fail_batch(ledger, batch, message_en="no", message_zh="否")),
        ("_count_totals", lambda: batches.abandon_judging(ledger, wages.feed)),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(batches, name, cut)
            with pytest.raises(psycopg.OperationalError):
                work()
        assert is_kept_as_counted(ledger), name
    assert batches.abandon_judging(ledger, wages.feed) == [batch]
    assert is_kept_as_counted(ledger)


def test_an_existing_ledger_is_filled_by_its_migration(served: str, ledger: Ledger, empty_database: str) -> None:
    departments = Departments(ledger, random.Random(77))
    departments.begin()
    for _ in range(40):
        departments.step()
    kept = {
        table: ledger.execute(f"select * from {table} order by 1, 2, 3, 4".encode()).fetchall()
        for table in ("ops.reporting_summary", "ops.delivery_summary")
    }
    assert kept["ops.reporting_summary"]
    judged = counted(ledger, "select batch_id from ops.batch where is_latest_judgement")
    assert judged
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "KNOWN_VERSION", "0015")
        migrate.upgrade(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as older:
        for table in ("feed", "landed_object", "batch", "batch_object", "expected_delivery", "delivery_summary",
                      "delivery_clock"):  # fmt: skip
            _copy(ledger, older, f"ops.{table}")
        migrate.upgrade(empty_database)
        for feed in departments.contracts:
            # the ledger that was written to has them by its last write, the other by its migration
            expected.summarise(ledger, feed)
        apply_served(empty_database, manifest())
        assert counted(older, _KEPT) == counted(ledger, _KEPT)
        assert counted(older, counted_live.RATES) == counted(older, _KEPT)
        assert counted(older, _TOTALS) == counted(older, counted_live.TOTALS) == counted(ledger, _TOTALS)
        assert counted(older, "select batch_id from ops.batch where is_latest_judgement") == judged
        cadences = "select feed, delivery, cadence from ops.{} "
        for table in ("expected_delivery", "delivery_summary"):
            assert counted(older, cadences.format(table)) == counted(ledger, cadences.format(table))


def _copy(source: Ledger, target: Ledger, table: str) -> None:
    names = [
        str(row[0])
        for row in target.execute(
            "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped"
            " and attgenerated = ''",
            [table],
        )
    ]
    listed = ", ".join(f'"{name}"' for name in names)
    target.execute(f"delete from {table}".encode())
    with (
        source.cursor().copy(f"copy {table} ({listed}) to stdout".encode()) as out,
        target.cursor().copy(f"copy {table} ({listed}) from stdin".encode()) as into,
    ):
        for data in out:
            into.write(data)


# ---- a contract that changes ----------------------------------------------------------------------------------------


def test_a_feed_that_goes_from_months_to_quarters_keeps_its_months(ledger: Ledger) -> None:
    wages = contract("hrss/wage_records", "2026-01")
    owing.enter(ledger, wages)
    send(ledger, wages, "2026-01", at("2026-02-10"))
    months = {start: rate(ledger, wages.feed, "month", start) for start in ("2026-01-01", "2026-02-01")}
    assert months == {"2026-01-01": {"expected": 1, "arrived": 1, "on_time": 1}, "2026-02-01": {"expected": 1}}
    owing.enter(ledger, replace(wages, cadence="quarter", first_delivery="2026Q2", due_cron="0 8 20 1,4,7,10 *"))
    be_on(ledger, dt.date(2026, 8, 1))
    assert {start: rate(ledger, wages.feed, "month", start) for start in months} == months
    assert rate(ledger, wages.feed, "month", "2026-06-01") is None
    assert rate(ledger, wages.feed, "quarter", "2026-01-01") == {"expected": 3, "arrived": 1, "on_time": 1}
    # April was due before, by itself, and the quarter that has it is owed since
    assert rate(ledger, wages.feed, "quarter", "2026-04-01") == {"expected": 2}
    assert rate(ledger, wages.feed, "year", "2026-01-01") == {"expected": 5, "arrived": 1, "on_time": 1}


def test_a_feed_that_goes_from_days_to_months_keeps_its_days(ledger: Ledger) -> None:
    certificates = contract("hrss/certificates", "2026-05-30")
    owing.enter(ledger, certificates)
    owing.enter(ledger, replace(certificates, cadence="month", first_delivery="2026-06", due_cron="0 8 5 * *"))
    be_on(ledger, dt.date(2026, 7, 7))
    assert rate(ledger, certificates.feed, "month", "2026-05-01") == {"expected": 2}
    # nine days of June were due by the old contract, and June is by the new one
    assert rate(ledger, certificates.feed, "month", "2026-06-01") == {"expected": 10}


def test_a_feed_that_goes_from_quarters_to_months_gets_months_from_then_on(ledger: Ledger) -> None:
    enterprises = contract("hrss/skill_enterprises", "2025Q4")
    owing.enter(ledger, enterprises)
    owing.enter(ledger, replace(enterprises, cadence="month", first_delivery="2026-05", due_cron="0 8 5 * *"))
    assert rate(ledger, enterprises.feed, "month", "2026-03-01") is None
    assert rate(ledger, enterprises.feed, "month", "2026-05-01") == {"expected": 1}
    assert rate(ledger, enterprises.feed, "quarter", "2026-01-01") == {"expected": 1}
    assert rate(ledger, enterprises.feed, "quarter", "2026-04-01") == {"expected": 1}


def test_a_changed_due_day_makes_nothing_of_the_past_late_or_in_time(ledger: Ledger) -> None:
    wages = contract("hrss/wage_records", "2026-03")
    owing.enter(ledger, wages)
    ledger.execute("update ops.feed set known_since = %s", [at("2026-01-01")])
    owing.enter(ledger, wages)
    for delivery, came in (("2026-03", "2026-04-18"), ("2026-04", "2026-05-25"), ("2026-05", "2026-06-09")):
        send(ledger, wages, delivery, at(came))
    be_on(ledger, dt.date(2026, 6, 30))
    before = counted(ledger, _KEPT)
    owing.enter(ledger, replace(wages, due_cron="0 8 5 * *"))
    assert counted(ledger, _KEPT) == before
    assert rate(ledger, wages.feed, "year", "2026-01-01") == {"expected": 3, "arrived": 3, "on_time": 2, "late": 1}


def test_counties_that_owe_no_more_are_owed_for_what_was_due_and_what_had_come(ledger: Ledger) -> None:
    workshops = contract("organisation/prosperity_workshops", "2025Q4")
    owing.enter(ledger, workshops)
    send(ledger, workshops, "2026Q1", at("2026-04-17"), counties=[("330102", 2)])
    # ahead of its due day two of three have come
    be_on(ledger, dt.date(2026, 7, 10))
    owing.enter(ledger, workshops)
    send(ledger, workshops, "2026Q2", at("2026-07-09"), counties=[("330102", 2), ("330105", 2)])
    owing.enter(ledger, replace(workshops, owed_by_county=None))
    be_on(ledger, dt.date(2026, 11, 1))
    assert rate(ledger, workshops.feed, "quarter", "2025-10-01", "330105") == {"expected": 1}
    assert rate(ledger, workshops.feed, "quarter", "2026-01-01") == {"expected": 3, "arrived": 1, "on_time": 1}
    assert rate(ledger, workshops.feed, "quarter", "2026-04-01", "330106") == {"expected": 1}
    found = rate(ledger, workshops.feed, "quarter", "2026-04-01")
    assert found is not None
    assert (found["expected"], found["arrived"]) == (3, 2)
    # and of what is owed since, no county owes a part
    assert rate(ledger, workshops.feed, "quarter", "2026-07-01") == {"expected": 1}
    assert rate(ledger, workshops.feed, "quarter", "2026-07-01", "330105") is None


def test_a_new_due_day_holds_for_all_counties_of_a_delivery(ledger: Ledger) -> None:
    """Also where a correction has brought the part of one of them ahead."""
    workshops = contract("organisation/prosperity_workshops", "2026Q2")
    owing.enter(ledger, workshops)
    send(ledger, workshops, "2026Q2", at("2026-06-09"), counties=[("330102", 2)], part="correction0001")
    owing.enter(ledger, replace(workshops, due_cron="0 8 28 * *"))
    due = ledger.execute(
        "select count(distinct due_at) from ops.expected_delivery where delivery = '2026Q2'"
    ).fetchone()
    assert due == (1,)
    be_on(ledger, dt.date(2026, 7, 25))
    assert rate(ledger, workshops.feed, "quarter", "2026-04-01") is None
    be_on(ledger, dt.date(2026, 7, 29))
    assert rate(ledger, workshops.feed, "quarter", "2026-04-01") == {"expected": 3, "arrived": 1, "on_time": 1}


# ---- the passing of time, and plans ---------------------------------------------------------------------------------


def test_what_becomes_due_counts_without_a_write(ledger: Ledger) -> None:
    workshops = contract("organisation/prosperity_workshops", "2026Q1")
    owing.enter(ledger, workshops)
    kept = counted(ledger, "select * from ops.reporting_summary")
    be_on(ledger, dt.date(2026, 7, 25))
    assert counted(ledger, "select * from ops.reporting_summary") == kept
    assert rate(ledger, workshops.feed, "quarter", "2026-04-01", "330105") == {"expected": 1}
    assert rate(ledger, workshops.feed, "quarter", "2026-04-01") == {"expected": 3}
    assert rate(ledger, workshops.feed, "year", "2026-01-01") == {"expected": 6}
    # the next time that what is owed is entered has it kept
    owing.enter(ledger, workshops)
    assert counted(ledger, "select * from ops.reporting_summary") != kept
    assert rate(ledger, workshops.feed, "year", "2026-01-01") == {"expected": 6}
    be_on(ledger, dt.date(2026, 6, 10))
    assert rate(ledger, workshops.feed, "quarter", "2026-04-01", "330105") is None
    assert rate(ledger, workshops.feed, "year", "2026-01-01") == {"expected": 3}


@pytest.mark.parametrize("view", ["reporting_rate", "feed_health"])
def test_nothing_that_readers_ask_scans_all_that_is_owed(ledger: Ledger, view: str) -> None:
    with ledger.transaction():
        # what has an index at all is read by it
        ledger.execute("set local enable_seqscan = off")
        plan = "\n".join(str(row[0]) for row in ledger.execute(f"explain select * from marts.{view}".encode()))
    assert "Seq Scan on expected_delivery" not in plan
    assert "expected_delivery" in plan
