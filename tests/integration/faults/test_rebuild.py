"""A warehouse that is lost is built anew from what has landed, and holds the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from small_feeds import (
    CERTIFICATES,
    ENTERPRISES,
    MONTH,
    TRAINING,
    WAGES,
    WageFolder,
    enterprise_book,
    enterprise_rows,
    exported,
    send_back,
    statuses,
    wage_part,
    wage_rows,
)

from tests.conftest import Warehouses
from tests.integration.faults.conftest import LAST_DAY, Departments, point_at
from threegaps import feed_run
from threegaps.errors import FeedError, LedgerError
from threegaps.landing.store import LandingStore

pytestmark = pytest.mark.integration

RESENT = wage_rows(60)


def ask(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def standing(dsn: str, feed: str) -> list[tuple[Any, ...]]:
    """The rows, those that were withdrawn too, with the landed object and row that said them."""
    table = f"raw.{feed.replace('/', '_')}"
    return ask(dsn, f"select (to_jsonb(t) - '_batch_id')::text from {table} as t order by 1")


def open_refusals(dsn: str) -> list[tuple[Any, ...]]:
    return ask(dsn, "select row_token, reasons from quarantine.refused_row where closed_by_batch_id is null order by 1")


@pytest.fixture
def landed(reading: Departments, wages: WageFolder, warehouse: str) -> dict[str, str]:
    """Three feeds have landed and loaded; wages came twice, the second time without some rows and with a wrong one."""
    wages.send(wage_part(RESENT[:30]), wage_part(RESENT[30:]))
    feeds = {TRAINING: LAST_DAY, CERTIFICATES: LAST_DAY, WAGES: MONTH}
    for feed, delivery in feeds.items():
        feed_run.land(feed, delivery)
        feed_run.load(feed, delivery)
    wrong = [*RESENT[30:31][0]]
    wrong[9] = "lots"
    wages.send(wage_part(RESENT[:25]), wage_part([wrong, *RESENT[31:]]), count=55)
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert open_refusals(warehouse)
    return feeds


def test_an_empty_warehouse_is_filled_anew_with_the_same_rows(
    landed: dict[str, str], warehouse: str, warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew = warehouses.new()
    # Landing was put back at another place, as after the loss of a disk.
    moved = (tmp_path / "landing").rename(tmp_path / "put_back")
    point_at(monkeypatch, anew, moved)
    done = {one.feed: one for one in feed_run.rebuild()}
    assert all(one.error is None and not one.gone for one in done.values())
    assert [len(done[feed].batch_ids) for feed in landed] == [1, 1, 2]
    assert set(statuses(anew)) == {"loaded"}
    for feed in landed:
        assert standing(anew, feed) == standing(warehouse, feed)
        assert standing(anew, feed)
    assert open_refusals(anew) == open_refusals(warehouse)
    horizons = (
        "select feed, delivery from ops.batch where status = 'loaded' and is_complete group by 1, 2 order by 1, 2"
    )
    assert ask(anew, horizons) == ask(warehouse, horizons)
    watermarks = "select feed, watermark from ops.watermark order by feed"
    assert ask(anew, watermarks) == ask(warehouse, watermarks) != []
    # Again there is nothing to do, and what comes next gets numbers and places of its own.
    assert all(one.batch_ids == () for one in feed_run.rebuild())
    assert feed_run.land(WAGES, MONTH) == []
    highest = ask(warehouse, "select max(landed_object_id) from ops.landed_object")[0][0]
    assert ask(anew, "select nextval(pg_get_serial_sequence('ops.landed_object', 'landed_object_id'))")[0][0] > highest


def test_a_landed_file_that_was_changed_is_named_and_nothing_is_entered(
    landed: dict[str, str], warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    spoilt = next((tmp_path / "landing" / WAGES).rglob("part*.csv.gz"))
    spoilt.write_bytes(spoilt.read_bytes()[:-1])
    with pytest.raises(FeedError, match="not those that came") as told:
        list(feed_run.rebuild())
    assert told.value.feed == WAGES
    assert ask(anew, "select count(*) from ops.landed_object") == [(0,)]


def test_what_retention_has_ended_is_said_and_the_rest_is_loaded(
    landed: dict[str, str], warehouse: str, warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        newest = connection.execute("select max(fetched_at) from ops.landed_object where feed = %s", [WAGES]).fetchone()
        assert newest is not None
        store = LandingStore((tmp_path / "landing").as_uri())
        assert store.end_copies(connection, TRAINING, newest[0]) == 1
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    done = {one.feed: one for one in feed_run.rebuild()}
    assert (done[TRAINING].gone, done[TRAINING].batch_ids) == ((LAST_DAY,), ())
    assert standing(anew, WAGES) == standing(warehouse, WAGES)
    # The department still has it, so that it lands anew.
    assert len(feed_run.land(TRAINING, LAST_DAY)) == 1


def test_a_ledger_of_another_landing_and_a_warehouse_that_serves_are_left_alone(
    landed: dict[str, str], warehouse: str, tmp_path: Path
) -> None:
    manifest = next((tmp_path / "landing" / WAGES).rglob("*.manifest.json"))
    said = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**said, "sha256": "0" * 64}), encoding="utf-8")
    with pytest.raises(LedgerError, match="not the one in landing"):
        list(feed_run.rebuild())
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "insert into ops.build (status, kind, as_of, requested_by) values ('released', 'full', now(), 'test')"
        )
    with pytest.raises(LedgerError, match="empty warehouse"):
        list(feed_run.rebuild())


def test_an_arrival_that_the_ledger_has_under_another_number_is_named(
    landed: dict[str, str], warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "elsewhere")
    with psycopg.connect(anew, autocommit=True) as connection:
        connection.execute("select setval(pg_get_serial_sequence('ops.landed_object', 'landed_object_id'), 500)")
    feed_run.land(TRAINING, LAST_DAY)
    point_at(monkeypatch, anew, tmp_path / "landing")
    with pytest.raises(LedgerError, match=rf"arrival 1 of window of delivery {LAST_DAY}.*501.*empty") as told:
        list(feed_run.rebuild())
    assert told.value.feed == TRAINING
    assert ask(anew, "select count(*) from ops.landed_object") == [(1,)]


def test_an_arrival_that_landing_does_not_have_is_named(landed: dict[str, str], warehouse: str, tmp_path: Path) -> None:
    for lost in (tmp_path / "landing" / TRAINING).rglob("*.manifest.json"):
        lost.unlink()
    with pytest.raises(LedgerError, match=rf"window of delivery {LAST_DAY}.*landing does not.*manifest") as told:
        list(feed_run.rebuild())
    assert told.value.feed == TRAINING


@pytest.mark.parametrize("content", [b'{"landed_object_id": 1, "fe', b"[]", b"null", b"{}"])
def test_a_manifest_that_cannot_be_read_is_named(
    content: bytes, reading: Departments, wages: WageFolder, warehouse: str, tmp_path: Path
) -> None:
    wages.send(wage_part(RESENT))
    feed_run.land(WAGES, MONTH)
    manifest = next((tmp_path / "landing" / WAGES).rglob("part*.manifest.json"))
    manifest.write_bytes(content)
    with pytest.raises(FeedError, match="manifest") as told:
        list(feed_run.rebuild())
    assert manifest.name in str(told.value)


def test_what_came_later_ends_as_it_did(
    reading: Departments,
    wages: WageFolder,
    warehouse: str,
    drop: Path,
    warehouses: Warehouses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repair that a delivery sent again took back, a list that came again after its successor, a spoilt arrival."""

    def send(*parts: bytes, count: int) -> None:
        wages.send(*parts, count=count)
        feed_run.land(WAGES, MONTH)
        feed_run.load(WAGES, MONTH)

    wrong = [*RESENT[0]]
    wrong[9] = "lots"
    send(wage_part([wrong, *RESENT[1:]]), count=60)
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    rows[0]["缴费工资"] = "6000.00"
    assert feed_run.replay(WAGES, send_back(file, rows)).accepted == 1
    send(wage_part(RESENT[1:]), count=59)
    with pytest.raises(FeedError):
        send(wage_part(RESENT[1:])[:-40], count=59)
    for quarter, size in (("2024Q3", 30), ("2024Q4", 28), ("2024Q3", 29)):
        book = enterprise_rows(size)
        book[0][10] = 100 + size
        (drop / "hrss" / f"skill_enterprises_{quarter}.xlsx").write_bytes(enterprise_book(book))
        feed_run.land(ENTERPRISES, quarter)
        feed_run.load(ENTERPRISES, "2024Q4")
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    done = {one.feed: one for one in feed_run.rebuild()}
    assert "cut off" in str(done[WAGES].error)
    assert done[ENTERPRISES].error is None
    for feed in (WAGES, ENTERPRISES):
        assert standing(anew, feed) == standing(warehouse, feed)
    assert [row[0] for row in ask(anew, "select count(*) from raw.hrss_wage_records where not _withdrawn")] == [59]
    assert [row[0] for row in ask(anew, "select count(*) from raw.hrss_skill_enterprises where not _withdrawn")] == [28]
