"""Passes of the watch over a real ledger: what opens, is told and closes; a PostgreSQL that is killed and stopped."""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from threegaps.access.server import close_warehouse, make_roles
from threegaps.errors import ServiceError
from threegaps.ledger import incidents
from threegaps.ledger.incidents import Incident
from threegaps.ledger.migrate import upgrade
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role, temporary_server
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import heartbeat, journal
from threegaps.watch.message import Channel, ChannelError, Message
from threegaps.watch.service import Watch
from threegaps.watch.telling import Telling

pytestmark = pytest.mark.integration

START = dt.datetime(2026, 7, 21, 10, 0, tzinfo=SHANGHAI)
HEALTHY = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")}
WAGES = "hrss/wage_records"


class Airflow:
    """A page that says of Airflow's parts what the test wants."""

    def __init__(self) -> None:
        self.health: dict[str, Any] = dict(HEALTHY)
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = json.dumps(page.health).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclasses.dataclass(frozen=True)
class Way:
    channel_name: str
    send_after: dt.datetime


class Kept(Channel):
    """A channel that keeps what it takes, or refuses."""

    name = "kept"

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.refuses: ChannelError | None = None

    def send(self, message: Message) -> None:
        if self.refuses:
            raise self.refuses
        self.messages.append(message)

    def told(self) -> list[tuple[str, str]]:
        return [(message.change, str(message.content["cause_key"])) for message in self.messages]


def send_all(channel: Kept) -> Any:
    """Works the outbox off in the plainest way."""

    def send(connection: psycopg.Connection[Any], now: dt.datetime) -> None:
        for row in connection.execute(
            "select outbox_id, message_id, incident_id, change, gravity, subject, body, content from ops.outbox"
            " where sent_at is null and send_after <= %s order by outbox_id",
            [now],
        ).fetchall():
            channel.send(Message(*row[1:]))
            connection.execute(
                "update ops.outbox set sent_at = %s, sent_as = message_id where outbox_id = %s", [now, row[0]]
            )

    return send


class Installation:
    """A watch over a warehouse, with a clock of the test's own."""

    def __init__(self, home: Path, warehouse: dict[str, str], airflow: Airflow) -> None:
        self.airflow = airflow
        self.environment = {
            "THREEGAPS_HOME": str(home),
            "THREEGAPS_SANDBOX": "0",
            "THREEGAPS_AIRFLOW_URL": airflow.address,
            "THREEGAPS_LEAST_FREE_MB": "0",
            **{f"THREEGAPS_WAREHOUSE_{name.upper()}": value for name, value in warehouse.items()},
        }
        self.channel = Kept()
        self.now = START
        self.restart()

    @property
    def settings(self) -> Settings:
        return Settings.load(self.environment)

    def restart(self) -> None:
        """Another process, as far as what it remembers goes."""

        def route(_: Incident, now: dt.datetime) -> Sequence[Way]:
            return [Way("kept", now)]

        telling = Telling({"kept": self.channel}, route, send_all(self.channel))
        self.watch = Watch(self.settings, lambda: telling)

    def passes(self, seconds: int, *, every: int = 15) -> None:
        """Passes for so long, as the service makes them."""
        for _ in range(0, seconds, every):
            self.now += dt.timedelta(seconds=every)
            self.watch.once(self.now)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.settings.warehouse_dsn(), autocommit=True)

    def incidents(self) -> list[Incident]:
        with self.connect() as connection:
            return sorted(incidents.latest_incidents(connection, limit=100), key=lambda one: one.incident_id)

    def open(self) -> list[str]:
        return [one.cause_key for one in self.incidents() if one.closed_at is None]

    def enter(self, statement: str, *values: object) -> Any:
        with self.connect() as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else None


@pytest.fixture
def airflow() -> Iterator[Airflow]:
    page = Airflow()
    yield page
    page.close()


@pytest.fixture
def installation(warehouse: str, tmp_path: Path, airflow: Airflow) -> Installation:
    parts = psycopg.conninfo.conninfo_to_dict(warehouse)
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "database": "dbname"}
    return Installation(tmp_path, {name: str(parts[part]) for name, part in names.items()}, airflow)


def fail_build(one: Installation, message: str = "1 models or tests failed: int_wages") -> int:
    (row,) = one.enter(
        "insert into ops.build (status, kind, as_of, finished_at, message) values ('failed', 'full', current_date,"
        " now(), %s) returning build_id",
        message,
    )
    return int(row[0])


def release_build(one: Installation) -> None:
    one.enter("insert into ops.build (status, kind, as_of, finished_at) values ('released', 'full', now(), now())")


def test_where_all_is_well_nothing_opens_and_the_heart_beats(installation: Installation) -> None:
    installation.passes(60)
    assert installation.incidents() == []
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert (beat.pid, beat.passes, list(beat.not_looked_at)) == (os.getpid(), 4, [])
    assert not beat.is_stale(dt.datetime.now(SHANGHAI))


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
    assert journal.load(one.watch.folder).open == []
    beat = heartbeat.last_beat(one.settings)
    assert beat is not None
    assert [reason.partition(":")[0] for reason in beat.not_looked_at] == ["ledger"]


# ---- what is read of a real ledger ----------------------------------------------------------------------------


def know_feed(one: Installation, feed: str = WAGES, connection_id: str = "hrss_sftp") -> None:
    one.enter(
        "insert into ops.feed (feed, delivery_kind, first_day, title_zh, title_en, connection_id, cadence, due_day,"
        " known_since) values (%s, 'full_period', '2026-01-01', '工资', 'wages', %s, 'month', '20', '2026-01-01')"
        " on conflict do nothing",
        feed,
        connection_id,
    )


def enter_batch(one: Installation, delivery: str, *, received: int = 1000, refused: int = 0, **changes: Any) -> int:
    values = {"feed": WAGES, "status": "loaded", "stop_rule": None, "message_en": "", "message_zh": ""} | changes
    (row,) = one.enter(
        "with landed as (insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri,"
        " size_bytes, sha256) select %s, %s, 'part0001', 1 + count(*), 'c', 'u', 1, repeat('0', 64)"
        " from ops.landed_object where feed = %s and delivery = %s returning landed_object_id),"
        " batch as (insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash,"
        " code_version, pseudonym_key_version, physical_lines, structural, received, accepted, refused, duplicates,"
        " inserted, changed, unchanged, withdrawn, finished_at, is_complete, stop_rule, message_en, message_zh)"
        " values (%s, %s, now(), now(), %s, 'h', '1', '1', %s, 0, %s, %s, %s, 0, %s, 0, 0, 0, now(), true, %s, %s, %s)"
        " returning batch_id)"
        " insert into ops.batch_object select batch_id, landed_object_id from batch, landed returning batch_id",
        *[values["feed"], delivery] * 2,
        *[values["feed"], delivery, values["status"]],
        *[received, received, received - refused, refused, received - refused],
        *[values["stop_rule"], values["message_en"], values["message_zh"]],
    )
    return int(row[0])


def enter_attempt(one: Installation, feed: str, outcome: str, cause: str | None = None) -> None:
    one.enter(
        "insert into ops.attempt (feed, step, delivery, started_at, ended_at, outcome, cause, host, port, message_en,"
        " message_zh) values (%s, 'land', '2026-06', now(), now(), %s, %s, '10.0.0.1', 22, 'refused', '被拒')",
        feed,
        outcome,
        cause,
    )


def in_service(one: Installation) -> None:
    """The installation has released something: what is missing is late."""
    one.enter(
        "with b as (insert into ops.build (status, kind, as_of, finished_at) values ('released', 'full', now(), now())"
        " returning build_id) insert into ops.release (build_id, kind, as_of) select build_id, 'build', now() from b"
    )
    one.enter("insert into ops.build_input select max(build_id), batch_id from ops.build, ops.batch group by batch_id")


def owe(one: Installation, feed: str = WAGES, delivery: str = "2026-06") -> None:
    one.enter(
        "insert into ops.expected_delivery (feed, delivery, delivery_start, delivery_end, due_at)"
        " values (%s, %s, '2026-06-01', '2026-06-30', now() - interval '1 day')",
        feed,
        delivery,
    )


def arrive(one: Installation, feed: str = WAGES, delivery: str = "2026-06") -> None:
    one.enter(
        "update ops.expected_delivery set first_arrived_at = now(), completed_at = now(), rows = 1"
        " where feed = %s and delivery = %s",
        feed,
        delivery,
    )


def live(one: Installation) -> None:
    """From now on by the clock of the server, which ledger and attempts are written by."""
    one.now = dt.datetime.now(SHANGHAI)


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


def test_a_held_release_and_work_that_waits(installation: Installation) -> None:
    know_feed(installation)
    enter_batch(installation, "2026-05")
    in_service(installation)
    enter_batch(installation, "2026-06")
    installation.now = dt.datetime.now(SHANGHAI) + dt.timedelta(minutes=31)
    installation.passes(15)
    assert installation.open() == ["work_waiting"]
    fail_build(installation, "not released: row_count: indicator_value lost 3 rows")
    installation.passes(120)
    assert sorted(installation.open()) == ["release_held", "work_waiting"]
    in_service(installation)
    installation.passes(120)
    assert installation.open() == []


# ---- PostgreSQL itself ----------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with temporary_server() as one:
        with psycopg.connect(one.dsn(), autocommit=True) as connection:
            ensure_role(connection, "pipeline", password=one.password)
            make_roles(connection)
            ensure_database(connection, "warehouse", owner="pipeline")
        with psycopg.connect(one.dsn("warehouse"), autocommit=True) as connection:
            close_warehouse(connection)
        upgrade(one.dsn("warehouse", user="pipeline"))
        yield one


def own(server: PostgresServer, home: Path, airflow: Airflow) -> Installation:
    return Installation(
        home,
        {
            "host": "127.0.0.1",
            "port": str(server.port),
            "user": "pipeline",
            "password": server.password,
            "database": "warehouse",
        },
        airflow,
    )


def postmaster(server: PostgresServer) -> int:
    return int((server.data_folder / "postmaster.pid").read_text(encoding="ascii").split()[0])


def start_again(server: PostgresServer) -> None:
    """As the supervisor does: until what the killed one left has ended."""
    while True:
        try:
            return server.start()
        except ServiceError:
            time.sleep(0.5)


def test_a_killed_postgresql_is_told_past_the_outbox_and_entered_afterwards(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    one = own(server, tmp_path, airflow)
    fail_build(one)
    one.passes(120)
    assert one.channel.told() == [("opened", "build_failed")]
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
    one.passes(15)
    assert one.channel.told() == [("opened", "warehouse_down")]
    one.passes(120)
    assert one.channel.told() == [("opened", "warehouse_down"), ("closed", "warehouse_down")]
