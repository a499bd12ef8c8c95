"""An installation that is watched: a real warehouse, a page that speaks for Airflow, a clock of the test's own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.server
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.receivers import MailReceiver, WebReceiver, mail_receiver, web_receiver
from threegaps.access.server import close_warehouse, make_roles
from threegaps.calendar import Delivery
from threegaps.errors import ServiceError
from threegaps.ledger import incidents
from threegaps.ledger.incidents import Incident
from threegaps.ledger.migrate import upgrade
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.one_machine.temporary import temporary_server
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import reading_ledger, reading_machine
from threegaps.watch.alerts import Alerts
from threegaps.watch.message import Channel, ChannelError, Message, OnePlace
from threegaps.watch.readings import LedgerReading
from threegaps.watch.sending import send_due
from threegaps.watch.service import Watch
from threegaps.watch.telling import Telling

START = dt.datetime(2026, 7, 21, 10, 0, tzinfo=SHANGHAI)
HEALTHY = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")}
WAGES = "hrss/wage_records"
MB = 10**6


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with web_receiver() as receiver:
        yield receiver


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


class Kept(OnePlace):
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
        self.channel, self.other = Kept(), Kept()
        self.channels: dict[str, Channel] = {"kept": self.channel, "other": self.other}
        self.routed = ["kept"]
        self.now = START
        self.restart()

    @property
    def settings(self) -> Settings:
        return Settings.load(self.environment)

    def restart(self) -> None:
        """Another process, as far as what it remembers goes."""

        def route(_: Incident, now: dt.datetime) -> Sequence[Way]:
            return [Way(name, now) for name in self.routed]

        def send(connection: psycopg.Connection[Any], now: dt.datetime, _: float) -> None:
            send_due(connection, self.channels, now, told=self.watch.told)

        telling = Telling(self.channels, route, send, alerts=Alerts(quiet="never"))
        before = getattr(self, "watch", None)
        if isinstance(before, Watch):
            before.close()
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


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of 1 TB with 900 GB free, whatever the machine's has: that would be an incident of its own."""
    room = os.statvfs_result((MB, MB, 10**6, 900_000, 900_000, 10**6, 10**6, 10**6, 0, 255))
    monkeypatch.setattr(reading_machine, "statvfs", lambda _: room)


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


def fail_build(
    one: Installation, message: str = "1 models or tests failed: int_wages", *, failure: str = "build"
) -> int:
    (row,) = one.enter(
        "insert into ops.build (status, kind, as_of, finished_at, message, failure) values ('failed', 'full',"
        " current_date, now(), %s, %s) returning build_id",
        message,
        failure,
    )
    return int(row[0])


def release_build(one: Installation) -> None:
    one.enter("insert into ops.build (status, kind, as_of, finished_at) values ('released', 'full', now(), now())")


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
    when = Delivery.of_key(delivery)
    (row,) = one.enter(
        "with landed as (insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri,"
        " size_bytes, sha256) select %s, %s, 'part0001', 1 + count(*), 'c', 'u', 1, repeat('0', 64)"
        " from ops.landed_object where feed = %s and delivery = %s returning landed_object_id),"
        " batch as (insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash,"
        " code_version, pseudonym_key_version, physical_lines, structural, received, accepted, refused, duplicates,"
        " inserted, changed, unchanged, withdrawn, finished_at, is_complete, stop_rule, message_en, message_zh)"
        " values (%s, %s, %s, %s, %s, 'h', '1', '1', %s, 0, %s, %s, %s, 0, %s, 0, 0, 0, now(), true, %s, %s, %s)"
        " returning batch_id)"
        " insert into ops.batch_object select batch_id, landed_object_id from batch, landed returning batch_id",
        *[values["feed"], delivery] * 2,
        *[values["feed"], delivery, when.start, when.end, values["status"]],
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
        "insert into ops.expected_delivery (feed, delivery, delivery_start, delivery_end, due_at, cadence)"
        " values (%s, %s, '2026-06-01', '2026-06-30', now() - interval '1 day', 'month')",
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


def slowed(monkeypatch: pytest.MonkeyPatch, *, seconds: float, questions: int) -> None:
    """Each reading of the ledger asks so many more questions, each of which takes so long."""
    read = reading_ledger.read

    def slow(connection: psycopg.Connection[Any]) -> LedgerReading:
        for _ in range(questions):
            connection.execute("select pg_sleep(%s)", [seconds])
        return read(connection)

    monkeypatch.setattr(reading_ledger, "read", slow)


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
