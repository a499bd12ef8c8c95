"""Departments that do not let us in, do not answer, or answer with trouble."""

from __future__ import annotations

import datetime as dt
import json
import socket
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from tests.integration.faults.conftest import LAST_DAY, Clean, Departments, connect
from tests.integration.faults.small_feeds import (
    CERTIFICATES,
    TRAINING,
    WAGES,
    content,
    landed,
    statuses,
    wage_part,
    wage_rows,
)
from threegaps import feed_run
from threegaps.airflow_api import AirflowApi
from threegaps.cli.app import app
from threegaps.errors import FeedError, SourceUnavailableError
from threegaps.ledger import attempts
from threegaps.orchestration.names import feed_dag
from threegaps.sources import database, gateway_client, http_gateway, retry, sftp

pytestmark = pytest.mark.integration

DELIVERIES = {TRAINING: LAST_DAY, CERTIFICATES: LAST_DAY, WAGES: "2024-07"}
CONNECTIONS = {TRAINING: "hrss_gateway", CERTIFICATES: "hrss_database", WAGES: "hrss_sftp"}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between attempts, in seconds: noted instead of waited for."""
    noted: list[float] = []
    monkeypatch.setattr(retry, "time", types.SimpleNamespace(sleep=noted.append))
    return noted


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 50 rows: the small sandbox has only a few of them."""
    build = http_gateway.HttpGateway.__init__

    def smaller(self: http_gateway.HttpGateway, *arguments: Any, **named: Any) -> None:
        build(self, *arguments, **named)
        pager = self._source.pager.model_copy(update={"page_size": 50})
        self._source = self._source.model_copy(update={"pager": pager})

    monkeypatch.setattr(http_gateway.HttpGateway, "__init__", smaller)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def attempts_of(warehouse: str, feed: str) -> list[attempts.Attempt]:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        return attempts.latest_attempts(connection, feed)


def failing(warehouse: str, feed: str) -> tuple[str, int, str, str | None, int | None] | None:
    """How the feed fails by the ledger: step, how often, cause, host and port."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        found = attempts.failing_since(connection, feed)
    return (one.step, one.failures, one.cause, one.host, one.port) if (one := next(iter(found), None)) else None


def run(feed: str) -> None:
    feed_run.land(feed, DELIVERIES[feed])
    feed_run.load(feed, DELIVERIES[feed])


@pytest.mark.parametrize("feed", CONNECTIONS)
def test_a_wrong_secret_is_told_once_and_mended(
    feed: str,
    reading: Departments,
    warehouse: str,
    clean: Clean,
    tmp_path: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if feed == WAGES:
        send_clean_wages(request)
    name = CONNECTIONS[feed]
    right = dict(reading.connections[name])
    if feed == WAGES:
        right["port"] = request.getfixturevalue("wage_server").port
        key = tmp_path / "another_key"
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key))
        connect(monkeypatch, name, {**right, "extra": {**right["extra"], "key_file": str(key)}})
    else:
        connect(monkeypatch, name, {**right, "password": "wrong"})
    with pytest.raises(FeedError, match="does not accept our login") as told:
        feed_run.land(feed, DELIVERIES[feed])
    assert told.value.feed == feed
    assert name in str(told.value)
    assert "wrong" not in str(told.value)
    assert not isinstance(told.value, SourceUnavailableError)
    assert waits == []
    assert landed(warehouse) == []
    assert failing(warehouse, feed) == ("land", 1, "login_refused", "127.0.0.1", right["port"])
    connect(monkeypatch, name, right)
    run(feed)
    assert failing(warehouse, feed) is None
    assert [(row.step, row.outcome) for row in attempts_of(warehouse, feed)] == [
        ("load", "succeeded"),
        ("land", "succeeded"),
        ("land", "failed"),
    ]
    assert content(warehouse, feed) == clean[feed]


class Airflow:
    """Says that every delivery has run and succeeded; notes what it is asked to run."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def dags(self) -> dict[str, dict[str, Any]]:
        return {feed_dag(feed): {"is_paused": False} for feed in CONNECTIONS}

    def backfill_under_way(self, _: str) -> int | None:
        return None

    def backfill_dry_run(self, _: str, *, first_day: str, last_day: str, behavior: str) -> set[str]:
        return {first_day, last_day} if behavior == "completed" else set()

    def backfill(self, _: str, *, first_day: str, last_day: str, again: bool) -> dict[str, Any]:
        self.asked += [first_day, last_day]
        return {"id": 7}


@pytest.mark.parametrize("feed", [TRAINING, CERTIFICATES])
def test_what_came_before_is_not_nothing_new_while_a_login_is_refused(
    feed: str, reading: Departments, warehouse: str, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, earlier = CONNECTIONS[feed], (dt.date.fromisoformat(LAST_DAY) - dt.timedelta(days=3)).isoformat()
    right = reading.connections[name]
    run(feed)
    assert feed_run.land(feed, earlier) == []
    connect(monkeypatch, name, {**right, "password": "wrong"})
    with pytest.raises(FeedError, match="does not accept our login"):
        feed_run.land(feed, earlier)
    assert failing(warehouse, feed) == ("land", 1, "login_refused", "127.0.0.1", right["port"])
    airflow = Airflow()
    monkeypatch.setattr(AirflowApi, "of", lambda _: airflow)
    for options in ([], ["--again"], ["--again", "--json"]):
        done = CliRunner().invoke(app, ["backfill", feed, earlier, earlier, *options])
        assert (done.exit_code, airflow.asked) == (1, [])
        if "--json" in options:
            # One document, to be read to its end.
            said = json.loads(done.stdout)["could_not_look"]
        else:
            said = str(done.exception)
            assert f"check login and password or key of the connection '{name}'" in said
        assert f"127.0.0.1:{right['port']} does not accept our login" in said
        assert "nothing new" not in done.output
    connect(monkeypatch, name, right)
    done = CliRunner().invoke(app, ["backfill", feed, earlier, earlier, "--again"])
    assert (done.exit_code, airflow.asked) == (0, [earlier, earlier])
    assert feed_run.land(feed, earlier) == []
    assert failing(warehouse, feed) is None


@pytest.mark.parametrize("feed", CONNECTIONS)
def test_a_host_that_is_down_is_told(
    feed: str, reading: Departments, warehouse: str, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, port = CONNECTIONS[feed], closed_port()
    connect(monkeypatch, name, {**reading.connections[name], "port": port})
    for _ in range(2):
        with pytest.raises(SourceUnavailableError, match="cannot be reached: connection refused") as told:
            feed_run.land(feed, DELIVERIES[feed], feed_run.Run("manual__1", 1))
    assert told.value.feed == feed
    assert told.value.advice
    assert f"127.0.0.1:{port}" in str(told.value)
    assert landed(warehouse) == []
    assert failing(warehouse, feed) == ("land", 2, "unreachable", "127.0.0.1", port)
    for attempt in attempts_of(warehouse, feed):
        assert (attempt.delivery, attempt.run_id, attempt.try_number) == (DELIVERIES[feed], "manual__1", 1)
        assert attempt.message_en
        assert f"connection {name}: " in attempt.message_en
        assert attempt.message_zh
        assert "连接被拒绝" in attempt.message_zh


@pytest.mark.parametrize("feed", CONNECTIONS)
def test_a_host_that_never_answers_is_given_up(
    feed: str,
    reading: Departments,
    warehouse: str,
    silent_port: int,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway_client, "_TIME_OUT", httpx.Timeout(0.2))
    monkeypatch.setattr(database, "_CONNECT_SECONDS", 2)
    monkeypatch.setattr(sftp, "_BANNER_SECONDS", 0.5)
    name = CONNECTIONS[feed]
    connect(monkeypatch, name, {**reading.connections[name], "port": silent_port})
    with pytest.raises(SourceUnavailableError, match=r"in time|cannot be reached") as told:
        feed_run.land(feed, DELIVERIES[feed])
    assert told.value.feed == feed
    assert landed(warehouse) == []
    assert failing(warehouse, feed) == ("land", 1, "timed_out", "127.0.0.1", silent_port)


def test_a_gateway_that_is_slow_for_a_while_is_waited_for(
    reading: Departments, warehouse: str, clean: Clean, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_client, "_TIME_OUT", httpx.Timeout(0.5))
    reading.http.faults.slow_seconds = 2.0

    def wait(seconds: float) -> None:
        waits.append(seconds)
        reading.http.faults.slow_seconds = 0.0
        monkeypatch.setattr(gateway_client, "_TIME_OUT", httpx.Timeout(30))

    monkeypatch.setattr(retry, "time", types.SimpleNamespace(sleep=wait))
    run(TRAINING)
    assert waits[0] == 1.0
    assert content(warehouse, TRAINING) == clean[TRAINING]


@pytest.mark.parametrize(
    ("switch", "waited"), [("rate_limit_every", 1.0), ("bad_gateway_every", 1.0), ("half_page_every", 1.0)]
)
def test_trouble_now_and_then_changes_nothing(
    switch: str,
    waited: float,
    reading: Departments,
    warehouse: str,
    clean: Clean,
    waits: list[float],
    small_pages: None,
) -> None:
    setattr(reading.http.faults, switch, 2)
    run(TRAINING)
    assert waits
    assert set(waits) == {waited}
    assert content(warehouse, TRAINING) == clean[TRAINING]
    assert statuses(warehouse) == ["loaded"]


def test_the_gateway_is_left_alone_as_long_as_it_asks(reading: Departments, warehouse: str, waits: list[float]) -> None:
    # Each answer is 429 with Retry-After: 1; by ourselves we would wait 1, 2, 4 and 8 seconds.
    reading.http.faults.rate_limit_every = 1
    with pytest.raises(SourceUnavailableError, match=r"\(429\).*Tried 5 times") as told:
        feed_run.land(TRAINING, LAST_DAY)
    assert waits == [1.0, 1.0, 1.0, 1.0]
    assert told.value.feed == TRAINING
    assert landed(warehouse) == []


@pytest.mark.parametrize(("switch", "words"), [("bad_gateway_every", "502"), ("half_page_every", "half an answer")])
def test_lasting_trouble_lands_nothing(
    switch: str, words: str, reading: Departments, warehouse: str, clean: Clean, waits: list[float]
) -> None:
    setattr(reading.http.faults, switch, 1)
    with pytest.raises(SourceUnavailableError, match=words) as told:
        feed_run.land(TRAINING, LAST_DAY)
    assert told.value.feed == TRAINING
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert landed(warehouse) == []
    setattr(reading.http.faults, switch, 0)
    run(TRAINING)
    assert content(warehouse, TRAINING) == clean[TRAINING]


def test_pages_that_shift_are_read_again_from_the_start(
    reading: Departments, warehouse: str, clean: Clean, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read_pages = http_gateway.read_pages

    def counted(*arguments: Any, **named: Any) -> http_gateway.Reading:
        done = read_pages(*arguments, **named)
        reads.append(done.rows)
        reading.http.faults.shift_pages = 0
        return done

    monkeypatch.setattr(http_gateway, "read_pages", counted)
    reading.http.faults.shift_pages = 3
    run(TRAINING)
    assert len(reads) == 3
    assert reads[0] > reads[1] == reads[2]
    assert content(warehouse, TRAINING) == clean[TRAINING]


def test_pages_that_never_stop_shifting_land_nothing(
    reading: Departments, warehouse: str, clean: Clean, small_pages: None
) -> None:
    reading.http.faults.shift_pages = 3
    with pytest.raises(FeedError, match="kept shifting") as told:
        feed_run.land(TRAINING, LAST_DAY)
    assert told.value.feed == TRAINING
    assert landed(warehouse) == []
    reading.http.faults.shift_pages = 0
    run(TRAINING)
    assert content(warehouse, TRAINING) == clean[TRAINING]


def send_clean_wages(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("wages").send(wage_part(wage_rows()))
