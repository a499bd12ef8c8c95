"""Our own machine fails: the disk is full, the warehouse goes away, the process is killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

import psycopg
import pytest

from tests.integration.faults.conftest import Clean
from tests.integration.faults.small_feeds import (
    MONTH,
    PART,
    WAGES,
    WageFolder,
    content,
    landed,
    row_count,
    statuses,
    wage_part,
    wage_rows,
)
from threegaps import feed_run
from threegaps.errors import FeedError, LedgerError
from threegaps.landing import store
from threegaps.ledger import attempts
from threegaps.one_machine.postgres import PostgresServer
from threegaps.warehouse.stopping import StopRules

pytestmark = pytest.mark.integration


class FullDisk(store.LocalFolder):
    """A folder on a disk that has no space left after some bytes."""

    space = 0

    def create(self, name: str) -> BinaryIO:
        return cast(BinaryIO, _FullFile(super().create(name)))


class _FullFile:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> _FullFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        written = data[: FullDisk.space]
        self._file.write(written)
        FullDisk.space -= len(written)
        if len(written) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(written)


@pytest.mark.parametrize("space", [0, 500, 1000])
def test_a_full_disk_is_told_and_leaves_nothing_half(
    space: int, wages: WageFolder, warehouse: str, clean: Clean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = wage_part(wage_rows())
    assert 500 < len(part) < 1000, "the second fault is within the data, the third within the manifest"
    wages.send(part)
    with monkeypatch.context() as patch:
        patch.setattr(store, "LocalFolder", FullDisk)
        patch.setattr(FullDisk, "space", space)
        with pytest.raises(FeedError, match="No space left on device") as told:
            feed_run.land(WAGES, MONTH)
    assert (told.value.feed, told.value.file) == (WAGES, PART.format(1, 1))
    assert "free space" in str(told.value.advice)
    assert landed(warehouse) == []
    assert attempts_of(warehouse) == [("land", "failed", "misconfigured", None)]
    assert [path for path in (tmp_path / "landing").rglob("*") if path.is_file()] == []
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]


def test_a_warehouse_that_goes_away_in_a_load_keeps_nothing_of_it(
    wages: WageFolder,
    warehouse: str,
    clean: Clean,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wages.send(wage_part(wage_rows()[:30]), wage_part(wage_rows()[30:]))
    feed_run.land(WAGES, MONTH)
    copied: list[int] = []
    after_judging = StopRules.after_judging

    def go_away(rules: StopRules, verdict: Any) -> None:
        # All rows have been copied by now; nothing is committed.
        copied.append(verdict.counts.accepted)
        end_sessions(postgres, warehouse)
        after_judging(rules, verdict)

    with monkeypatch.context() as patch:
        patch.setattr(StopRules, "after_judging", go_away)
        with pytest.raises(LedgerError, match=r"The warehouse at .* does not answer") as told:
            feed_run.load(WAGES, MONTH)
    assert told.value.feed == WAGES
    assert "run the task again" in str(told.value.advice)
    assert copied == [60]
    # Said on a new session: that of the load was gone.
    assert attempts_of(warehouse)[0] == ("load", "failed", "warehouse_down", "127.0.0.1")
    assert row_count(warehouse, WAGES) == 0
    assert statuses(warehouse) == ["judging"]
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert statuses(warehouse) == ["failed", "loaded"]


def test_a_warehouse_that_is_down_is_told(
    wages: WageFolder, warehouse: str, clean: Clean, monkeypatch: pytest.MonkeyPatch
) -> None:
    wages.send(wage_part(wage_rows()))
    with monkeypatch.context() as patch:
        patch.setenv("THREEGAPS_WAREHOUSE_PORT", "1")
        with pytest.raises(LedgerError, match=r"The warehouse at .* does not answer") as told:
            feed_run.land(WAGES, MONTH)
    assert told.value.feed == WAGES
    assert (told.value.cause, told.value.host, told.value.port) == ("warehouse_down", "127.0.0.1", 1)
    assert "127.0.0.1:1 " in str(told.value)
    assert "threegaps status" in str(told.value.advice)
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]


def test_what_the_server_says_of_a_session_that_it_refuses_is_not_repeated(
    wages: WageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREEGAPS_WAREHOUSE_DATABASE", "nowhere_339900")
    with pytest.raises(LedgerError, match="does not answer: there is no such database or role") as told:
        feed_run.land(WAGES, MONTH)
    assert "339900" not in str(told.value)


KILLED_AFTER_COPY = """
import sys, time
from threegaps import feed_run
from threegaps.warehouse.stopping import StopRules

def wait(rules, verdict):
    print("copied", verdict.counts.accepted, flush=True)
    time.sleep(600)

StopRules.after_judging = wait
feed_run.load(sys.argv[1], sys.argv[2])
"""


def test_a_process_killed_between_copy_and_commit_leaves_nothing(
    wages: WageFolder, warehouse: str, clean: Clean
) -> None:
    wages.send(wage_part(wage_rows()))
    feed_run.land(WAGES, MONTH)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED_AFTER_COPY, WAGES, MONTH], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = next((line for line in process.stdout if line.startswith("copied")), "nothing")
        with psycopg.connect(warehouse) as connection:
            inside = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null"
                " and pid <> pg_backend_pid()"
            ).fetchone()
        alive = marked_as_cut_off(warehouse)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert said.split() == ["copied", "60"]
    assert inside is not None
    assert inside[0] >= 1
    assert alive == []
    assert row_count(warehouse, WAGES) == 0
    assert statuses(warehouse) == ["judging"]
    assert attempts_of(warehouse)[0] == ("load", "running", None, None)
    # The server notices by itself that the session is gone, and gives its lock back.
    until = time.monotonic() + 60
    while not (marked := marked_as_cut_off(warehouse)) and time.monotonic() < until:
        time.sleep(0.1)
    assert marked == [(WAGES, "load")]
    assert attempts_of(warehouse)[0] == ("load", "cut_off", None, None)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert statuses(warehouse) == ["failed", "loaded"]
    assert feed_run.land(WAGES, MONTH) == []
    assert feed_run.load(WAGES, MONTH) == []


def attempts_of(warehouse: str) -> list[tuple[str, str, str | None, str | None]]:
    """Step, outcome, cause and host of each attempt, the newest first."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        found = attempts.latest_attempts(connection, WAGES)
    return [(one.step, one.outcome, one.cause, one.host) for one in found]


def marked_as_cut_off(warehouse: str) -> list[tuple[str, str]]:
    """What the watch finds of attempts that began a while ago and whose process is gone."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(
            "update ops.attempt set started_at = started_at - interval '1 minute' where outcome = 'running'"
        )
        return [(feed, step) for feed, step, _ in attempts.mark_cut_off(connection)]


def end_sessions(postgres: PostgresServer, warehouse: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"]
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
