"""A landed object that has to go: bytes, messages and log lines, and nothing brings it back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Warehouses
from tests.integration.faults.conftest import Departments, point_at
from tests.integration.faults.small_feeds import (
    CONTROL,
    MONTH,
    PART,
    WAGES,
    WageFolder,
    row_count,
    wage_part,
    wage_rows,
    wage_text,
)
from threegaps import feed_run
from threegaps.errors import FeedError, LedgerError
from threegaps.ledger import incidents, outbox
from threegaps.watch.composing import incident_message

pytestmark = pytest.mark.integration

ROWS = wage_rows()


def ask(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def purge(number: int, logs: Path) -> feed_run.Purged:
    return feed_run.purge(number, purged_by="the officer", reason="order 7", task_logs=[logs], own_logs=[])


def test_what_was_purged_is_gone_and_stays_gone(
    wages: WageFolder, warehouse: str, warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wages.send(wage_part(ROWS))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    wrong = [*ROWS[0]]
    wrong[9] = "lots"
    wages.send(wage_part([wrong, *ROWS[1:]]))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    number, sha = ask(
        warehouse, "select landed_object_id, sha256 from ops.landed_object where part = 'part0001' order by 1 desc"
    )[0]
    assert ask(warehouse, "select count(*) from quarantine.refused_row where row_data::text like '%lots%'") == [(1,)]
    logs = tmp_path / "logs"
    logs.mkdir()
    name = PART.format(1, 1)
    lines = [
        f"2026-01-01 {WAGES} {MONTH}: batch 1 judges landed objects 1, 2.\n",
        f"2026-01-01 read {name}\n",
        f"2026-01-02 {WAGES} {MONTH}: batch 2 judges landed objects 3, 2.\n",
        f"2026-01-02 read {name}\n",
        "2026-01-02 other\n",
    ]
    (logs / "attempt=1.log").write_text("".join(lines), encoding="utf-8")

    done = purge(int(str(number)), logs)
    assert (done.sha256, done.log_lines, done.batch_ids) == (sha, 2, (2,))
    assert (logs / "attempt=1.log").read_text(encoding="utf-8") == "".join([*lines[:2], lines[4]])
    kept = [path.read_bytes() for path in (tmp_path / "landing").rglob("*") if path.is_file()]
    assert wage_part([wrong, *ROWS[1:]]) not in kept
    assert ask(warehouse, "select count(*) from quarantine.refused_row where row_data::text like '%lots%'") == [(0,)]
    assert ask(warehouse, "select purged_by, reason from ops.purge") == [("the officer", "order 7")]
    assert ask(warehouse, "select received, accepted, refused from ops.batch where batch_id = 2") == [(60, 59, 1)]
    with pytest.raises(LedgerError, match="was purged on"):
        purge(int(str(number)), logs)
    # The department's folder still has the file: it is not fetched again, and nothing waits for it.
    assert feed_run.land(WAGES, MONTH) == []
    assert feed_run.load(WAGES, MONTH) == []

    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    rebuilt = {one.feed: one for one in feed_run.rebuild()}[WAGES]
    assert (rebuilt.gone, rebuilt.error) == ((MONTH,), None)
    # The earlier arrival would say again what the purged one had replaced.
    assert row_count(anew, WAGES) == 0
    assert ask(anew, "select landed_object_id, purged_by, reason from ops.purge") == [
        (number, "the officer", "order 7")
    ]
    assert feed_run.land(WAGES, MONTH) == []


def test_the_message_of_a_file_that_could_not_be_read_goes_too(
    reading: Departments, wages: WageFolder, warehouse: str, tmp_path: Path
) -> None:
    import gzip

    without_header = "".join(wage_text(ROWS[:2]).splitlines(keepends=True)[1:])
    wages.send(gzip.compress(without_header.encode("gb18030")), count=2)
    feed_run.land(WAGES, MONTH)
    with pytest.raises(FeedError):
        feed_run.load(WAGES, MONTH)
    (number,) = ask(warehouse, "select landed_object_id from ops.landed_object where part = 'part0001'")[0]
    with pytest.raises(LedgerError, match="who orders it"):
        feed_run.purge(int(str(number)), purged_by=" ", reason="x", task_logs=[], own_logs=[])
    with psycopg.connect(warehouse, autocommit=True) as connection:
        now = dt.datetime.now(dt.UTC)
        cause = incidents.Cause("feed_stopped", WAGES, "warning", "题", "title", "某人", "somebody", (WAGES,))
        opened = incidents.open_incident(connection, cause, at=now)
        message = incident_message(opened, "opened", "mail", is_synthetic=True, now=now)
        outbox.enter(
            connection,
            message_id=message.message_id,
            incident_id=opened.incident_id,
            change="opened",
            channel="mail",
            gravity="warning",
            subject=message.subject,
            body=message.text,
            content=message.content,
            send_after=now,
            created_at=now,
        )
    done = purge(int(str(number)), tmp_path / "logs")
    assert done.messages == 1
    purged = "This message was purged."
    assert ask(warehouse, "select distinct message_en from ops.attempt where outcome = 'failed'") == [(purged,)]
    assert ask(warehouse, "select detail_en, detail_zh from ops.incident") == [(purged, "本条消息已按要求清除。")]
    assert ask(warehouse, "select body, content ->> 'detail_en' from ops.outbox") == [(purged, purged)]
    assert ask(warehouse, "select 1 from ops.outbox where content::text like '%某人%'") == []
    assert ask(warehouse, "select message_en, message_zh from ops.batch") == [
        ("This message was purged.", "本条消息已按要求清除。")
    ]
    # What the department sends instead is loaded.
    wages.send(wage_part(ROWS))
    (wages.folder / CONTROL).write_text("parts=1 rows=60\n", encoding="ascii")
    feed_run.land(WAGES, MONTH)
    assert len(feed_run.load(WAGES, MONTH)) == 1
    assert row_count(warehouse, WAGES) == 60
    orders = [path for path in (tmp_path / "landing").rglob("purge-*.json") if "manifest" not in path.name]
    assert [json.loads(path.read_bytes())["reason"] for path in orders] == ["order 7"]
