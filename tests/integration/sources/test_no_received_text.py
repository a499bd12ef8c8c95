"""What a source, a file, a rule or the warehouse says of received data stands in no log, no error and no ledger."""

from __future__ import annotations

import datetime as dt
import errno
import logging
import os
import socket
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncssh
import polars as pl
import psycopg
import pytest

from tests.integration.sources import scripted_gateway
from tests.integration.sources.conftest import JUNE, SmallFeed
from tests.integration.sources.odd_database import COLUMNS, SOURCE, Department, made
from tests.integration.sources.odd_folder import (
    months_in_drop,
    months_on_server,
    put,
    send,
    table,
)
from tests.integration.sources.odd_sftp import PASSWORD, OddServer
from tests.integration.sources.scripted_gateway import Answer
from tests.integration.sources.small_contract import CHANGES, CSV, FEED, http_source
from threegaps import feed_run
from threegaps.batch.certify import Certifier
from threegaps.batch.decode import csv_lines
from threegaps.batch.row_rules import RowRules
from threegaps.one_machine.postgres import PostgresServer
from threegaps.orchestration import tasks
from threegaps.sources import file_drop

pytestmark = pytest.mark.integration

RECEIVED = "Wang Xiaoming 33990019900101001X"


class Said:
    """Runs a step in both ways in which it is run, and collects what is said of it."""

    def __init__(self, feed: SmallFeed, caplog: pytest.LogCaptureFixture) -> None:
        self._feed, self._caplog = feed, caplog
        caplog.set_level(logging.INFO)

    def of(self, step: str) -> str:
        by_task, by_itself = getattr(tasks, step), getattr(feed_run, step)
        said = [self._raised(lambda: by_itself(FEED, JUNE)), self._raised(lambda: by_task(FEED, "month", JUNE))]
        ledger = self._feed.ask(
            "select coalesce(string_agg(t::text, ' '), '') from"
            " (select to_jsonb(b) from ops.batch as b union all select to_jsonb(l) from ops.landed_object as l) as t"
        )
        return "\n".join([*said, self._caplog.text, ledger[0][0]])

    def land(self) -> str:
        """What is said when the feed is landed and fails."""
        return self.of("land")

    def load(self) -> str:
        """What is said when it lands and its load fails."""
        feed_run.land(FEED, JUNE)
        return self.of("load")

    @staticmethod
    def _raised(action: Callable[[], object]) -> str:
        with pytest.raises(Exception) as raised:  # noqa: PT011  # which one is not what is asked here
            action()
        return "".join(traceback.format_exception(raised.value))


def says_nothing_received(text: str) -> bool:
    """Whether *text* names the feed, and nothing of what was received."""
    return FEED in text and not any(part in text for part in (RECEIVED, "Xiaoming", "33990019900101001X"))


@pytest.fixture
def said(feed: SmallFeed, caplog: pytest.LogCaptureFixture, waits: list[float]) -> Said:
    return Said(feed, caplog)


@contextmanager
def answering(content: bytes) -> Iterator[int]:
    """A port on which everything is answered by *content*, whatever protocol is asked for."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(0.2)
                with suppress(OSError):
                    client.recv(65_536)
                    client.sendall(content)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


# SFTP.


@pytest.fixture
def odd(feed: SmallFeed, tmp_path: Path) -> Iterator[OddServer]:
    with months_on_server(feed, tmp_path / "server") as server:
        yield server


@pytest.mark.parametrize("method", ["scandir", "open", "read"])
@pytest.mark.parametrize("kind", [asyncssh.SFTPOpUnsupported, asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure])
def test_the_words_of_an_sftp_server(
    said: Said, odd: OddServer, monkeypatch: pytest.MonkeyPatch, method: str, kind: type[Exception]
) -> None:
    send(odd.root, "202606")

    def refuse(*_: Any) -> Any:
        raise kind(RECEIVED)

    monkeypatch.setattr(asyncssh.SFTPServer, method, refuse)
    assert says_nothing_received(said.land())


def test_what_greets_us_on_an_sftp_port(said: Said, feed: SmallFeed, odd: OddServer) -> None:
    with answering(f"HTTP/1.1 400 {RECEIVED}\r\n\r\n".encode()) as port:
        feed.connect(
            conn_type="sftp",
            host="127.0.0.1",
            port=port,
            login="department",
            password=PASSWORD,
            extra={"no_host_key_check": True, "look_for_keys": False},
        )
        assert says_nothing_received(said.land())


# A drop folder.


@pytest.fixture
def drop(feed: SmallFeed, tmp_path: Path) -> Path:
    return months_in_drop(feed, tmp_path / "drop")


def test_the_name_of_a_file_that_may_not_be_looked_at(said: Said, drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(drop / f"{RECEIVED}.csv", table(3))
    real = os.stat

    def stat(name: Any, **more: Any) -> os.stat_result:
        # As in a folder that may be listed and not entered; root may do both.
        if "dir_fd" in more:
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return real(name, **more)

    monkeypatch.setattr(file_drop.os, "stat", stat)
    text = said.land()
    assert says_nothing_received(text)
    assert "Permission denied" in text


def test_a_disk_that_fails_while_a_file_is_read(said: Said, drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(drop / "rows_2026-06.csv", table(3))

    class Failing:
        def __init__(self, descriptor: int, *_: Any, **__: Any) -> None:
            self._descriptor = descriptor

        def __enter__(self) -> Failing:
            return self

        def __exit__(self, *_: Any) -> None:
            os.close(self._descriptor)

        def read(self, _: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error", RECEIVED)

    real = os.fdopen

    def opened(descriptor: int, mode: str = "r", *more: Any, **named: Any) -> Any:
        return Failing(descriptor) if named.get("buffering") == 0 else real(descriptor, mode, *more, **named)

    monkeypatch.setattr(file_drop.os, "fdopen", opened)
    text = said.land()
    assert says_nothing_received(text)
    assert "rows_2026-06.csv, Input/output error" in text


# A gateway.


def answers(content: Answer) -> Callable[[str, dict[str, Any]], Answer]:
    return lambda *_: content


@pytest.mark.parametrize(
    "content",
    [
        RECEIVED.encode(),
        f'{{"status": 1, "data": {{"total": 1, "rows": [{{"id": "{RECEIVED}"'.encode(),
        f'{{"status": 0, "msg": "{RECEIVED}"}}'.encode(),
        f'{{"status": 1, "data": "{RECEIVED}"}}'.encode(),
        f'{{"status": 1, "data": {{"total": "{RECEIVED}", "rows": [{{}}]}}}}'.encode(),
        (200, {"Content-Encoding": "gzip"}, RECEIVED.encode()),
        (200, {"Content-Encoding": RECEIVED}, b"{}"),
        (302, {"Location": f"https://example.org/{RECEIVED}"}, RECEIVED.encode()),
        (404, {}, RECEIVED.encode()),
        (503, {"Retry-After": RECEIVED}, RECEIVED.encode()),
    ],
)
def test_the_answer_of_a_gateway(said: Said, feed: SmallFeed, content: Answer) -> None:
    feed.comes_by(http_source(), CHANGES)
    with scripted_gateway.serving(answers(content)) as gateway:
        feed.at(gateway)
        assert says_nothing_received(said.land())


@pytest.mark.parametrize(
    "content", [f"{RECEIVED}\r\n\r\n", f"HTTP/1.1 500 {RECEIVED}\r\n\r\n", f"HTTP/1.1 200 OK\r\n{RECEIVED}\r\n\r\n"]
)
def test_what_is_no_answer_of_http(said: Said, feed: SmallFeed, content: str) -> None:
    feed.comes_by(http_source(), CHANGES)
    with answering(content.encode()) as port:
        feed.connect(conn_type="http", schema="http", host="127.0.0.1", port=port, login="us", password="secret")
        assert says_nothing_received(said.land())


# A database.


@pytest.fixture
def department(feed: SmallFeed, postgres: PostgresServer) -> Iterator[Department]:
    yield from made(feed, postgres)


@pytest.mark.parametrize("code", ["P0001", "22P02", "42501", "53100", "57014", "XX000"])
def test_the_words_of_a_database(said: Said, department: Department, code: str) -> None:
    department.table("id text, county text, day text, updated timestamp, note text")
    department.connection.execute(
        "create function speak() returns text language plpgsql as"
        f" $$ begin raise exception using message = '{RECEIVED}', detail = '{RECEIVED}', errcode = '{code}'; end $$;"
        " create view talking as select id, county, day, updated, speak() as note from rows;"
        f" grant select on talking to {department.reader}"
    )
    department.connection.execute("insert into rows values ('1', '330106', '2026-05-01', '2026-05-01', 'x')")
    department.feed.comes_by({**SOURCE, "table": "talking"}, CHANGES, CSV)
    assert says_nothing_received(said.land())


def test_the_name_of_a_type(said: Said, department: Department) -> None:
    department.connection.execute(f"create type \"{RECEIVED}\" as enum ('a')")
    department.table(COLUMNS.replace("updated timestamp", f'updated "{RECEIVED}"'))
    assert says_nothing_received(said.land())


def test_a_database_that_refuses_a_session_in_its_own_words(
    said: Said, feed: SmallFeed, department: Department
) -> None:
    fields = f"SFATAL\0VFATAL\0C57P03\0M{RECEIVED}\0\0".encode()
    with answering(b"E" + struct.pack("!I", len(fields) + 4) + fields) as port:
        feed.connect(
            conn_type="postgres",
            host="127.0.0.1",
            port=port,
            login="us",
            password="x",
            schema="rows",
            extra={"sslmode": "disable"},
        )
        assert says_nothing_received(said.land())


# What is judged and loaded.


@pytest.mark.parametrize(
    "content",
    [
        table(2).replace(b"id,county", f"{RECEIVED},county".encode()),
        table(2).replace(b"county,day", f"county,day,{RECEIVED}".encode()),
        RECEIVED.encode(),
        RECEIVED.encode("utf-16"),
        b"\x1f\x8b" + RECEIVED.encode(),
        b"PK\x03\x04" + RECEIVED.encode(),
    ],
)
def test_a_file_that_is_not_what_the_contract_declares(said: Said, drop: Path, content: bytes) -> None:
    put(drop / "rows_2026-06.csv", content)
    text = said.load()
    assert says_nothing_received(text)
    assert "file rows_2026-06.csv" in text


def one_row(row_id: str = RECEIVED) -> bytes:
    return f"id,county,day,updated\n{row_id},330106,2026-06-01,2026-06-02 10:00:00\n".encode()


@pytest.mark.parametrize("fault", ["csv_layout", "judge", "suite"])
def test_a_library_that_quotes_the_rows_that_it_fails_at(
    said: Said, drop: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    put(drop / "rows_2026-06.csv", one_row())

    def quote(*_: Any, **__: Any) -> Any:
        return pl.Series([RECEIVED]).cast(pl.Int64)

    with pytest.raises(pl.exceptions.InvalidOperationError, match="Xiaoming"):
        quote()
    owner: Any = {"csv_layout": csv_lines, "judge": RowRules, "suite": Certifier}[fault]
    monkeypatch.setattr(owner, fault, quote)
    text = said.load()
    assert says_nothing_received(text)
    assert "InvalidOperationError at line" in text


@pytest.mark.parametrize("code", ["23514", "22P02", "53100", "57P01", "XX000"])
def test_the_words_of_the_warehouse(said: Said, feed: SmallFeed, drop: Path, code: str) -> None:
    put(drop / "rows_2026-05.csv", table(2, month="2026-05"))
    feed.run("2026-05")
    with psycopg.connect(feed.warehouse, autocommit=True) as connection:
        connection.execute(
            "create function raw.refuse() returns trigger language plpgsql as"
            f" $$ begin raise exception using message = new.row_id, detail = new.row_id, errcode = '{code}'; end $$;"
            " create trigger refusing before insert or update on raw.test_rows for each row"
            " execute function raw.refuse()"
        )
    put(drop / "rows_2026-06.csv", one_row())
    text = said.load()
    assert says_nothing_received(text)
    assert code in text


def test_what_no_one_foresaw_while_a_part_is_fetched(said: Said, drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(drop / "rows_2026-06.csv", table(3))

    def fail(*_: Any) -> Any:
        return dt.date.fromisoformat(RECEIVED)

    monkeypatch.setattr(file_drop, "within", fail)
    text = said.land()
    assert says_nothing_received(text)
    assert f"[feed {FEED}, file rows_2026-06.csv] Something unexpected happened (ValueError at line" in text
