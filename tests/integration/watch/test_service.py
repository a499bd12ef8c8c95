"""Passes of the watch over a real ledger: what opens, is told and closes; a PostgreSQL that is killed and stopped."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.watch.conftest import (
    HEALTHY,
    START,
    WAGES,
    Airflow,
    Installation,
    arrive,
    enter_attempt,
    enter_batch,
    fail_build,
    in_service,
    know_feed,
    live,
    owe,
    own,
    postmaster,
    release_build,
    slowed,
    start_again,
)
from threegaps.ledger import incidents
from threegaps.ledger.incidents import Cause
from threegaps.one_machine.postgres import PostgresServer
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import asking, heartbeat, journal, reading_ledger, reading_machine, service, trying
from threegaps.watch.channels.conversation import CONVERSATION_SECONDS
from threegaps.watch.message import ChannelError
from threegaps.watch.readings import AirflowReading

pytestmark = pytest.mark.integration


def test_where_all_is_well_nothing_opens_and_the_heart_beats(installation: Installation) -> None:
    installation.passes(60)
    assert installation.incidents() == []
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert (beat.pid, beat.passes, list(beat.not_looked_at)) == (os.getpid(), 4, [])
    assert not beat.is_stale(dt.datetime.now(SHANGHAI))


def test_nobody_resolves_what_a_pass_is_just_adding_to(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_build(installation)
    installation.passes(120)
    assert installation.open() == ["build_failed"]
    look, tried = service.look, list[str]()

    def meanwhile(*arguments: Any, **named: Any) -> Any:
        with psycopg.connect(installation.settings.warehouse_dsn(), options="-c lock_timeout=200ms") as page:
            try:
                incidents.resolve(page, 1, by="li", why="known", at=START)
            except psycopg.errors.LockNotAvailable:
                tried.append("waited")
        return look(*arguments, **named)

    monkeypatch.setattr(service, "look", meanwhile)
    installation.passes(15)
    assert set(tried) == {"waited"}
    assert installation.open() == ["build_failed"]


def test_a_failed_build_is_told_once_and_its_end_once(installation: Installation) -> None:
    fail_build(installation)
    installation.passes(90)
    assert installation.open() == ["build_failed"]
    assert installation.channel.told() == []
    installation.passes(600)
    assert installation.channel.told() == [("opened", "build_failed")]
    # Tried again by itself, it fails again: the same cause.
    fail_build(installation)
    installation.passes(120)
    release_build(installation)
    installation.passes(120)
    assert installation.open() == []
    assert installation.channel.told() == [("opened", "build_failed"), ("closed", "build_failed")]
    (incident,) = installation.incidents()
    assert (incident.closed_by, incident.resolution) == ("watch", "原因已消失 the cause is gone")
    opening, closing = installation.channel.messages
    assert "int_wages" in opening.text
    assert closing.reply_to == opening.message_id


def test_what_heals_within_ninety_seconds_is_not_told(installation: Installation) -> None:
    installation.airflow.health["scheduler"] = {"status": "unhealthy"}
    installation.passes(75)
    assert installation.open() == ["airflow_down"]
    installation.airflow.health = dict(HEALTHY)
    installation.passes(300)
    (incident,) = installation.incidents()
    assert incident.closed_at is not None
    assert incident.announced_at is None
    assert installation.channel.messages == []


def test_airflow_as_a_whole_is_one_incident_that_may_worsen(installation: Installation) -> None:
    installation.airflow.health["triggerer"] = {"status": "unhealthy"}
    installation.passes(120)
    installation.airflow.health["dag_processor"] = {"status": "unhealthy"}
    installation.passes(60)
    installation.airflow.health["scheduler"] = {"status": "unhealthy"}
    installation.passes(60)
    installation.airflow.close()
    installation.watch.once(installation.now)
    (incident,) = installation.incidents()
    assert incident.gravity == "critical"
    assert installation.channel.told() == [("opened", "airflow_down"), ("worsened", "airflow_down")]


def test_a_restart_of_the_watch_opens_and_tells_nothing_anew(installation: Installation) -> None:
    fail_build(installation)
    installation.passes(120)
    before = installation.incidents()
    installation.now += dt.timedelta(hours=2)
    installation.restart()
    installation.passes(300)
    assert [one.incident_id for one in installation.incidents()] == [one.incident_id for one in before]
    assert installation.channel.told() == [("opened", "build_failed")]


def test_what_is_resolved_by_hand_stays_closed_while_its_cause_lasts(installation: Installation) -> None:
    fail_build(installation)
    installation.passes(120)
    (incident,) = installation.incidents()
    with installation.connect() as connection:
        incidents.resolve(connection, incident.incident_id, by="wang", why="known", at=installation.now)
    installation.passes(1200)
    assert len(installation.incidents()) == 1
    release_build(installation)
    installation.passes(900)
    fail_build(installation)
    installation.passes(30)
    assert len(installation.incidents()) == 2


def test_what_is_resolved_by_hand_is_no_answer_to_the_next_spoilt_file(installation: Installation) -> None:
    know_feed(installation)
    first = enter_batch(installation, "2026-05", status="stopped", stop_rule="refused_percent")
    installation.passes(120)
    (incident,) = installation.incidents()
    with installation.connect() as connection:
        incidents.resolve(connection, incident.incident_id, by="wang", why="a test file", at=installation.now)
    installation.passes(300)
    second = enter_batch(installation, "2026-05", status="stopped", stop_rule="refused_percent")
    installation.passes(300)
    resolved, another = installation.incidents()
    assert f"batch {first} " in resolved.title_en
    assert f"batch {second} " in another.title_en
    assert [one.closed_at is None for one in (another, resolved)] == [True, False]
    assert installation.channel.told() == [
        (change, f"feed_stopped:{WAGES}") for change in ("opened", "closed", "opened")
    ]


def test_a_last_pass_of_no_moment_blinds_no_watch(installation: Installation) -> None:
    installation.enter("insert into ops.watch_pass (compared_at) values ('infinity')")
    fail_build(installation)
    installation.passes(120)
    assert installation.channel.told() == [("opened", "build_failed")]
    assert installation.enter("select compared_at from ops.watch_pass") == [(installation.now,)]


def test_two_watches_do_not_tell_twice(installation: Installation) -> None:
    fail_build(installation)
    with installation.connect() as other:
        other.execute("select pg_advisory_lock(7237020015)")
        installation.passes(300)
        assert installation.incidents() == []
    installation.passes(120)
    assert installation.open() == ["build_failed"]


def test_a_ledger_that_has_not_been_made_yet_is_no_incident(
    empty_database: str, tmp_path: Path, airflow: Airflow
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(empty_database)
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "database": "dbname"}
    one = Installation(tmp_path, {name: str(parts[part]) for name, part in names.items()}, airflow)
    one.passes(300)
    assert one.channel.messages == []
    # It is told once it lasts longer than an installation, or an upgrade, takes.
    one.passes(600)
    assert one.channel.told() == [("opened", "ledger_unreadable")]
    beat = heartbeat.last_beat(one.settings)
    assert beat is not None
    assert [reason.partition(":")[0] for reason in beat.not_looked_at] == ["ledger"]


# ---- what is read of a real ledger ----------------------------------------------------------------------------


def test_a_late_feed_opens_and_closes_when_it_has_come(installation: Installation) -> None:
    know_feed(installation)
    in_service(installation)
    owe(installation)
    live(installation)
    installation.passes(120)
    (incident,) = installation.incidents()
    assert (incident.cause_key, incident.feed, incident.department) == (f"feed_late:{WAGES}", WAGES, "hrss")
    assert incident.title_en == "hrss/wage_records (wages) is late: 2026-06"
    arrive(installation)
    installation.passes(120)
    assert installation.channel.told() == [("opened", incident.cause_key), ("closed", incident.cause_key)]


def test_one_dead_connection_is_one_incident_and_explains_its_late_feeds(installation: Installation) -> None:
    in_service(installation)
    feeds = (WAGES, "hrss/certificates", "hrss/title_awards")
    for feed in feeds:
        know_feed(installation, feed)
        owe(installation, feed)
        enter_attempt(installation, feed, "failed", "unreachable")
    live(installation)
    installation.passes(120)
    (incident,) = installation.incidents()
    assert incident.cause_key == "feed_unreachable:hrss_sftp"
    assert incident.feeds == sorted(feeds)
    assert "is late: 2026-06" in incident.detail_en
    for feed in feeds:
        enter_attempt(installation, feed, "succeeded")
        arrive(installation, feed)
    installation.passes(120)
    assert installation.open() == []
    assert len(installation.channel.messages) == 2


def test_the_three_ways_a_connection_breaks_are_three_incidents(installation: Installation) -> None:
    broken = {"hrss_sftp": "unreachable", "hrss_gateway": "login_refused", "finance_database": "login_refused"}
    for number, (connection_id, cause) in enumerate(broken.items()):
        know_feed(installation, f"d/feed_{number}", connection_id)
        enter_attempt(installation, f"d/feed_{number}", "failed", cause)
    live(installation)
    installation.passes(120)
    assert sorted(installation.open()) == sorted(f"feed_unreachable:{one}" for one in broken)
    assert len(installation.channel.messages) == 3


def test_a_stopped_batch_with_two_hundred_broken_rules_is_one_incident(installation: Installation) -> None:
    know_feed(installation)
    enter_batch(installation, "2026-05")
    stopped = enter_batch(
        installation,
        "2026-06",
        received=1000,
        refused=900,
        status="stopped",
        stop_rule="batch_refused_share",
        message_en="90 % refused",
    )
    in_service(installation)
    owe(installation)
    installation.enter(
        "insert into ops.check_result (batch_id, rule, expectation, action, evaluated, unexpected, outcome)"
        " select %s, 'rule_' || n, 'e', 'refuse', 1000, 900, 'refused_rows' from generate_series(1, 200) as n",
        stopped,
    )
    live(installation)
    installation.passes(120)
    (incident,) = installation.incidents()
    assert incident.cause_key == f"feed_stopped:{WAGES}"
    assert f"batch {stopped} of 2026-06 was stopped by batch_refused_share" in incident.title_en
    assert "90 % refused" in incident.detail_en
    # Sent again, and good.
    enter_batch(installation, "2026-06")
    in_service(installation)
    arrive(installation)
    installation.passes(120)
    assert installation.open() == []
    assert len(installation.channel.messages) == 2


def test_a_feed_that_shrinks_and_a_share_that_rises_are_seen(installation: Installation) -> None:
    know_feed(installation)
    for month in range(1, 6):
        enter_batch(installation, f"2026-{month:02}", received=1000, refused=10)
    enter_batch(installation, "2026-06", received=700, refused=70)
    in_service(installation)
    live(installation)
    installation.passes(15)
    assert installation.open() == [f"feed_shrinking:{WAGES}", f"refused_share_rising:{WAGES}"]
    enter_batch(installation, "2026-06", received=1000, refused=12)
    in_service(installation)
    installation.passes(120)
    assert installation.open() == []


def test_a_build_whose_work_the_next_one_has_taken_over_is_no_incident(installation: Installation) -> None:
    left = fail_build(installation, "It was left unfinished; its claims went to the next build.", failure="left")
    (row,) = installation.enter(
        "insert into ops.build (status, kind, as_of) values ('running', 'full', current_date) returning build_id"
    )
    running = int(row[0])
    installation.passes(300, every=30)
    assert (running > left, installation.incidents()) == (True, [])
    installation.enter("update ops.build set status = 'failed', finished_at = now() where build_id = %s", running)
    installation.passes(120)
    assert installation.channel.told() == [("opened", "build_failed")]
    # While the next one tries nobody knows whether it is over.
    installation.enter("insert into ops.build (status, kind, as_of) values ('running', 'full', current_date)")
    installation.passes(300, every=30)
    assert installation.open() == ["build_failed"]
    installation.enter("update ops.build set status = 'released', finished_at = now() where status = 'running'")
    installation.passes(120)
    assert installation.open() == []
    assert installation.channel.told() == [("opened", "build_failed"), ("closed", "build_failed")]


def test_a_held_release_and_work_that_waits(installation: Installation) -> None:
    know_feed(installation)
    enter_batch(installation, "2026-05")
    in_service(installation)
    enter_batch(installation, "2026-06")
    installation.now = dt.datetime.now(SHANGHAI) + dt.timedelta(minutes=31)
    installation.passes(15)
    assert installation.open() == ["work_waiting"]
    fail_build(installation, "row_count: indicator_value lost 3 rows", failure="check")
    installation.passes(120)
    assert sorted(installation.open()) == ["release_held", "work_waiting"]
    in_service(installation)
    installation.passes(120)
    assert installation.open() == []


# ---- PostgreSQL itself ----------------------------------------------------------------------------------------


def test_a_killed_postgresql_is_told_past_the_outbox_and_entered_afterwards(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    one = own(server, tmp_path, airflow)
    fail_build(one)
    one.passes(120)
    assert one.channel.told() == [("opened", "build_failed")]
    # A server for tests writes what is committed some moments later: what has been said is to outlive its end.
    with one.connect() as connection:
        connection.execute("set synchronous_commit = on")
        connection.execute("update ops.build set message = message")
    os.kill(postmaster(server), signal.SIGKILL)
    airflow.health["scheduler"] = {"status": "unhealthy"}
    one.passes(90)
    one.restart()
    one.passes(90)
    assert one.channel.told() == [("opened", "build_failed"), ("opened", "warehouse_down")]
    start_again(server)
    one.passes(45)
    airflow.health = dict(HEALTHY)
    one.passes(120)
    assert one.channel.told() == [
        ("opened", "build_failed"),
        ("opened", "warehouse_down"),
        ("closed", "warehouse_down"),
    ]
    opening, closing = one.channel.messages[1:]
    assert closing.reply_to == opening.message_id
    assert [(incident.cause_key, incident.closed_at is None) for incident in one.incidents()] == [
        ("build_failed", True),
        ("warehouse_down", False),
    ]
    with one.connect() as connection:
        sent = connection.execute("select change, sent_at is not null from ops.outbox order by outbox_id").fetchall()
    assert sent == [("opened", True), ("opened", True), ("closed", True)]
    assert not journal.load(one.watch.folder).is_ahead


def test_a_postgresql_that_hangs_counts_as_down(server: PostgresServer, tmp_path: Path, airflow: Airflow) -> None:
    one = own(server, tmp_path, airflow)
    one.passes(15)
    os.kill(postmaster(server), signal.SIGSTOP)
    try:
        one.passes(150, every=50)
    finally:
        os.kill(postmaster(server), signal.SIGCONT)
    assert one.channel.told() == [("opened", "warehouse_down")]
    one.passes(120)
    assert one.channel.told() == [("opened", "warehouse_down"), ("closed", "warehouse_down")]


def test_what_heals_at_once_is_entered_and_told_nobody(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    one = own(server, tmp_path, airflow)
    one.passes(15)
    os.kill(postmaster(server), signal.SIGKILL)
    one.passes(30)
    start_again(server)
    one.passes(120)
    (incident,) = one.incidents()
    assert (incident.cause_key, incident.announced_at) == ("warehouse_down", None)
    assert incident.closed_at is not None
    assert one.channel.messages == []


def test_what_is_resolved_by_hand_stays_closed_while_the_warehouse_is_down(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    one = own(server, tmp_path, airflow)
    one.environment["THREEGAPS_LEAST_FREE_MB"] = "999999999"
    one.restart()
    one.passes(120)
    (incident,) = one.incidents()
    with one.connect() as connection:
        incidents.resolve(connection, incident.incident_id, by="wang", why="known", at=one.now)
    one.passes(30)
    os.kill(postmaster(server), signal.SIGKILL)
    one.passes(120)
    one.restart()
    one.passes(60)
    start_again(server)
    one.passes(180)
    assert [one.cause_key for one in one.incidents()] == [incident.cause_key, "warehouse_down"]
    assert [change for change, key in one.channel.told() if key == incident.cause_key] == ["opened", "closed"]
    assert incident.kind == "disk_filling"


def test_a_channel_that_refuses_meanwhile_is_tried_again_and_the_rest_goes_by_the_outbox(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    one = own(server, tmp_path, airflow)
    one.passes(15)
    os.kill(postmaster(server), signal.SIGKILL)
    one.channel.refuses = ChannelError("the mail server is away", None, False)
    one.passes(180)
    one.channel.refuses = None
    start_again(server)
    # When the next try falls due depends on how long the passes took, too.
    one.passes(300)
    assert one.channel.told() == [("opened", "warehouse_down"), ("closed", "warehouse_down")]


def test_a_journal_that_cannot_be_entered_is_put_aside_and_the_pass_goes_on(installation: Installation) -> None:
    odd = Cause("build_failed", "", "critical", "\x00", "\x00", "", "", ())
    installation.watch.journal.put(journal.new_incident(odd, installation.now))
    journal.save(installation.watch.folder, installation.watch.journal)
    fail_build(installation)
    installation.passes(15)
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert any(one.startswith("journal: it cannot be entered") for one in beat.not_looked_at)
    assert (installation.watch.folder / "journal.json.damaged").exists()
    assert installation.open() == ["build_failed"]
    installation.passes(15)
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert list(beat.not_looked_at) == []


def test_a_session_whose_watch_is_lost_does_not_keep_its_lock(installation: Installation) -> None:
    with reading_machine.connect(installation.settings) as connection:
        shown = connection.execute("show idle_in_transaction_session_timeout").fetchone()
        parameters = connection.info.get_parameters()
    assert shown == ("1min",)
    assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == ("10", "30000")


# ---- slow, and silent -----------------------------------------------------------------------------------------


def test_many_slow_answers_are_no_silence(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_machine, "QUESTION_SECONDS", 3.0)
    slowed(monkeypatch, seconds=0.5, questions=8)
    fail_build(installation)
    installation.passes(120, every=60)
    assert installation.open() == ["build_failed"]


def test_a_busy_machine_is_not_taken_for_a_silent_warehouse(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.passes(15)
    monkeypatch.setattr(asking, "LEDGER_SECONDS", 1.0)
    slowed(monkeypatch, seconds=0.3, questions=20)
    installation.passes(240, every=60)
    assert installation.channel.messages == []
    assert [one.cause_key for one in installation.watch.journal.open] == ["ledger_unreadable"]
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert "the machine is busy" in " ".join(map(str, beat.not_looked_at))


def test_one_question_that_is_not_answered_is_silence(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_machine, "QUESTION_SECONDS", 0.5)
    slowed(monkeypatch, seconds=15, questions=1)
    started = time.monotonic()
    installation.passes(15)
    # Not twice the time: nobody waits for the end of a session that does not answer.
    assert time.monotonic() - started < 10
    assert [one.cause_key for one in installation.watch.journal.open] == ["warehouse_down"]


# ---- a ledger that cannot be read -----------------------------------------------------------------------------

UNREADABLE = [("opened", "ledger_unreadable"), ("closed", "ledger_unreadable")]


def once_each(one: Installation) -> bool:
    """Whether the outbox knows every message once, as sent."""
    with one.connect() as connection:
        rows = connection.execute("select message_id, sent_at is not null from ops.outbox").fetchall()
    numbers = [message.message_id for message in one.channel.messages]
    return sorted(numbers) == sorted(number for number, _ in rows) and all(is_sent for _, is_sent in rows)


@pytest.mark.breaks("ledger_unreadable")
def test_a_lost_right_is_told_once_over_restarts_and_its_end_once(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    one = own(server, tmp_path, airflow)
    one.passes(15)
    one.enter("revoke select on ops.batch, ops.feed from pipeline")
    one.passes(75)
    assert one.channel.messages == []
    one.passes(30)
    one.restart()
    # What opens meanwhile is told by the journal, too, and all is entered once the ledger can be read.
    airflow.health["scheduler"] = {"status": "unhealthy"}
    one.passes(600)
    assert one.channel.told() == [("opened", "ledger_unreadable"), ("opened", "airflow_down")]
    opening = one.channel.messages[0]
    assert "the role lacks a right on ops.batch, ops.feed" in opening.text
    assert "角色缺少权限: ops.batch, ops.feed" in opening.text
    assert "watch.reading_ledger" in opening.text or "ledger.expected" in opening.text
    # The ledger can be written all the while, and somebody does so.
    with one.connect() as connection:
        incidents.open_incident(connection, Cause("airflow_down", "", "critical", "异常", "down"), at=one.now)
    one.enter("grant select on ops.batch, ops.feed to pipeline")
    one.passes(270)
    assert sorted(one.open()) == ["airflow_down", "ledger_unreadable"]
    airflow.health = dict(HEALTHY)
    one.passes(120)
    assert one.open() == []
    assert sorted(one.channel.told()) == sorted([*UNREADABLE, ("opened", "airflow_down"), ("closed", "airflow_down")])
    assert once_each(one)


def test_a_right_to_write_that_is_lost_is_told(server: PostgresServer, tmp_path: Path, airflow: Airflow) -> None:
    one = own(server, tmp_path, airflow)
    one.enter("revoke insert on ops.incident from pipeline")
    fail_build(one)
    one.passes(120)
    assert one.channel.told() == UNREADABLE[:1]
    assert "ops.incident" in one.channel.messages[0].text
    one.enter("grant insert on ops.incident to pipeline")
    one.passes(420)
    assert sorted(one.channel.told()) == sorted([*UNREADABLE, ("opened", "build_failed")])
    assert once_each(one)


@pytest.mark.parametrize("right", ["select", "insert", "update"])
def test_a_lost_right_on_the_outbox_is_told_although_nothing_is_to_be_entered(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, right: str
) -> None:
    one = own(server, tmp_path, airflow)
    one.passes(15)
    one.enter(f"revoke {right} on ops.outbox from pipeline")
    one.passes(180)
    assert one.channel.told() == UNREADABLE[:1]
    assert "ops.outbox" in one.channel.messages[0].text
    one.enter(f"grant {right} on ops.outbox to pipeline")
    one.passes(420)
    assert one.channel.told() == UNREADABLE
    assert once_each(one)


def test_a_table_that_stays_locked_is_told_after_ten_minutes(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_machine, "_SESSION_LIMITS", "-c lock_timeout=50ms")
    installation.passes(15)
    with installation.connect() as other, other.transaction():
        other.execute("lock table ops.batch in access exclusive mode")
        installation.passes(600, every=60)
        assert installation.channel.messages == []
        installation.passes(60, every=60)
        assert installation.channel.told() == UNREADABLE[:1]
        assert "another session keeps ops.batch locked" in installation.channel.messages[0].text
        installation.passes(600, every=60)
    installation.passes(360, every=60)
    assert installation.channel.told() == UNREADABLE
    assert once_each(installation)


def test_a_ledger_that_is_read_now_and_then_is_told_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reading_ledger.read
    monkeypatch.setattr(asking, "LEDGER_SECONDS", 0.4)
    slowed(monkeypatch, seconds=0.3, questions=5)
    slow = reading_ledger.read
    for number in range(24):
        monkeypatch.setattr(reading_ledger, "read", read if number % 2 else slow)
        installation.passes(120, every=120)
    assert installation.channel.told() == UNREADABLE[:1]
    assert "the machine is busy" in installation.channel.messages[0].text
    installation.passes(600, every=60)
    assert installation.channel.told() == UNREADABLE
    assert once_each(installation)


def test_a_machine_that_is_busy_for_two_passes_tells_nobody(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reading_ledger.read
    monkeypatch.setattr(asking, "LEDGER_SECONDS", 0.4)
    slowed(monkeypatch, seconds=0.3, questions=5)
    installation.passes(240, every=120)
    monkeypatch.setattr(reading_ledger, "read", read)
    installation.passes(900, every=60)
    assert installation.channel.messages == []
    assert [one.closed_at is None for one in installation.incidents()] == [False]


# ---- how long it was silent -----------------------------------------------------------------------------------


class Outage:
    """A server that lets nobody in for so long, by a clock of the test's own, in a service that makes its passes."""

    def __init__(self, one: Installation, monkeypatch: pytest.MonkeyPatch, begins: float, lasts: float) -> None:
        self.one, self.clock, self.begins, self.ends = one, 0.0, begins, begins + lasts
        self.connect = reading_machine.connect
        monkeypatch.setattr(reading_machine, "connect", self.answer)
        monkeypatch.setattr(reading_machine, "airflow", self.health)
        monkeypatch.setattr(service.time, "monotonic", lambda: self.clock)

    def wait(self, seconds: float) -> bool:
        """Wait until what is asked answers, but no longer; whether it does."""
        if not self.begins <= self.clock < self.ends:
            return True
        self.clock = min(self.clock + seconds, self.ends)
        return self.clock == self.ends

    def answer(self, settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
        if not self.wait(reading_machine.CONNECT_SECONDS):
            raise psycopg.errors.ConnectionTimeout("timeout expired")
        return self.connect(settings)

    def health(self, settings: Settings, *, seconds: float = reading_machine.API_SECONDS) -> AirflowReading:
        """Airflow hangs with its database, and what is asked after it waits a little, too."""
        return AirflowReading("http://x", answers=self.wait(seconds + 5), seconds=seconds)

    def run(self, seconds: float) -> None:
        """Passes, as the service makes them."""
        while self.clock < seconds:
            began = self.clock
            self.one.watch.once(START + dt.timedelta(seconds=began))
            self.clock = max(self.clock, began + heartbeat.INTERVAL_SECONDS)


@pytest.mark.parametrize("begins", [100.0, 105.1])
@pytest.mark.parametrize(("lasts", "is_told"), [(88.0, False), (117.0, True)])
def test_a_silence_of_less_than_ninety_seconds_is_not_told_and_one_that_lasts_longer_is(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, begins: float, lasts: float, is_told: bool
) -> None:
    outage = Outage(installation, monkeypatch, begins, lasts)
    outage.run(330)
    monkeypatch.undo()
    told = [("opened", "warehouse_down"), ("closed", "warehouse_down")]
    assert installation.channel.told() == (told if is_told else [])
    assert [one.cause_key for one in installation.incidents() if one.announced_at] == ["warehouse_down"][: int(is_told)]
    assert installation.open() == []


def test_no_pass_may_take_as_long_as_one_that_hangs() -> None:
    limits = (
        *(reading_machine.PROBE_SECONDS, reading_machine.AROUND_SECONDS),
        *(asking.LEDGER_SECONDS, service._SHOWING_SECONDS),
    )
    most = sum(limits) + max(service._SENDING_SECONDS, trying.PASS_SECONDS + CONVERSATION_SECONDS)
    assert most < heartbeat.HUNG_AFTER.total_seconds()
    # A message that was begun in time is noted before the pass is cut, and does not go out twice.
    assert trying.PASS_SECONDS + CONVERSATION_SECONDS + 5 < service._SENDING_SECONDS
