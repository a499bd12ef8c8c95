"""How feeds stand: late, stopped, shrinking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row

from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.ledger.batches import FEED_TOTALS
from threegaps.ledger.status import feed_status
from threegaps.settings import SHANGHAI, Settings

pytestmark = pytest.mark.integration


def at(year: int, month: int, day: int) -> dt.datetime:
    """Noon in the province, when what was due in the morning is late."""
    return dt.datetime(year, month, day, 12, tzinfo=SHANGHAI)


@pytest.fixture
def connection(shared_warehouse: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(shared_warehouse, autocommit=True) as opened:
        opened.execute("truncate ops.batch cascade")
        yield opened


@pytest.fixture
def wages() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/wage_records")


def enter(
    connection: psycopg.Connection[tuple[object, ...]],
    delivery: str,
    *,
    status: str = "loaded",
    received: int = 1000,
    feed: str = "hrss/wage_records",
    is_complete: bool = True,
    part: str = "part0001",
) -> int:
    row = connection.execute(
        "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
        " pseudonym_key_version,"
        " physical_lines, structural, received, accepted, refused, duplicates, inserted, changed, unchanged,"
        " withdrawn, message_en, message_zh, finished_at, is_complete)"
        " values (%s, %s, now(), now(), %s, 'h', '1', '1', %s, 0, %s, %s, 0, 0, %s, 0, 0, 0,"
        " 'too many refused', '退回过多', now(), %s) returning batch_id",
        [feed, delivery, status, *[received] * 4, is_complete],
    ).fetchone()
    assert row is not None
    batch_id = int(str(row[0]))
    connection.execute(
        "with landed as (insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri,"
        " size_bytes, sha256, is_correction) select %(feed)s, %(delivery)s, %(part)s, 1 + count(*), 'c', 'u', 1,"
        " repeat('0', 64), starts_with(%(part)s, 'correction') from ops.landed_object where feed = %(feed)s"
        " and delivery = %(delivery)s and part = %(part)s returning landed_object_id)"
        " insert into ops.batch_object select %(batch)s, landed_object_id from landed",
        {"feed": feed, "delivery": delivery, "part": part, "batch": batch_id},
    )
    return batch_id


def test_a_feed_without_a_batch_is_late(connection: psycopg.Connection[tuple[object, ...]], wages: Contract) -> None:
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert (status.last_delivery, status.expected_delivery, status.is_late) == (None, "2026-05", True)
    assert not status.is_shrinking
    assert status.stopped_batch_id is None


def test_a_feed_is_late_from_the_due_day_of_what_is_missing(
    connection: psycopg.Connection[tuple[object, ...]], wages: Contract
) -> None:
    enter(connection, "2026-04")
    enter(connection, "2026-05", status="failed")
    # the 20th is a Saturday, and the 19th to the 21st are the Dragon Boat Festival
    assert feed_status(connection, wages, at(2026, 6, 21)).is_late is False
    assert feed_status(connection, wages, at(2026, 6, 22)).is_late is True
    enter(connection, "2026-05")
    assert feed_status(connection, wages, at(2026, 6, 22)).is_late is False


@pytest.mark.parametrize("how", ["stopped", "failed"])
def test_a_feed_stands_until_a_newer_batch_goes_through(
    how: str, connection: psycopg.Connection[tuple[object, ...]], wages: Contract
) -> None:
    enter(connection, "2026-04")
    stopped = enter(connection, "2026-05", status=how)
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert status.stopped_batch_id == stopped
    assert (status.stop_message_en, status.stop_message_zh) == ("too many refused", "退回过多")
    assert status.last_delivery == "2026-04"
    enter(connection, "2026-05")
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert status.stopped_batch_id is None
    assert status.stop_message_en is None


@pytest.mark.parametrize(("received", "is_shrinking"), [(800, False), (799, True)])
def test_a_feed_shrinks_below_four_fifths(
    received: int, is_shrinking: bool, connection: psycopg.Connection[tuple[object, ...]], wages: Contract
) -> None:
    enter(connection, "2026-04", received=1000)
    enter(connection, "2026-05", received=received)
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert (status.rows, status.rows_before, status.is_shrinking) == (received, 1000, is_shrinking)


def test_a_delivery_counts_as_it_was_sent_last_and_corrections_not_at_all(
    connection: psycopg.Connection[tuple[object, ...]], wages: Contract
) -> None:
    enter(connection, "2026-04", received=1000)
    enter(connection, "2026-04", received=900)
    enter(connection, "2026-05", received=850)
    enter(connection, "2026-05", received=7, part="correction0001")
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert (status.rows, status.rows_before, status.is_shrinking) == (850, 900, False)


def test_a_correction_is_no_delivery_and_hides_no_failed_one(
    connection: psycopg.Connection[tuple[object, ...]], wages: Contract
) -> None:
    enter(connection, "2026-04", part="part0001")
    failed = enter(connection, "2026-05", status="failed", part="part0001")
    enter(connection, "2026-05", part="correction0001")
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert (status.last_delivery, status.is_late, status.stopped_batch_id) == ("2026-04", True, failed)
    stopped = enter(connection, "2026-05", status="stopped", part="correction0002")
    enter(connection, "2026-05", part="part0001")
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert (status.last_delivery, status.is_late, status.stopped_batch_id) == ("2026-05", False, stopped)
    enter(connection, "2026-05", part="correction0002")
    assert feed_status(connection, wages, at(2026, 6, 22)).stopped_batch_id is None


def test_a_delivery_of_which_a_part_is_missing_is_late_and_stays_in_sight(
    connection: psycopg.Connection[tuple[object, ...]], wages: Contract
) -> None:
    enter(connection, "2026-05", is_complete=False)
    status = feed_status(connection, wages, at(2026, 6, 22))
    assert (status.is_late, status.incomplete_deliveries) == (True, ("2026-05",))
    enter(connection, "2026-06")
    status = feed_status(connection, wages, at(2026, 7, 20))
    assert (status.is_late, status.incomplete_deliveries) == (False, ("2026-05",))
    enter(connection, "2026-05")
    assert feed_status(connection, wages, at(2026, 7, 20)).incomplete_deliveries == ()


def test_totals_of_a_feed_are_those_of_all_its_loaded_batches(
    connection: psycopg.Connection[tuple[object, ...]], wages: Contract
) -> None:
    for delivery, status, received in (
        ("2026-04", "superseded", 1000),
        ("2026-04", "loaded", 990),
        ("2026-04", "loaded", 900),
        ("2026-05", "stopped", 80),
    ):
        enter(connection, delivery, status=status, received=received)
    (totals,) = connection.cursor(row_factory=dict_row).execute(FEED_TOTALS).fetchall()
    named = {name: totals[name] for name in ("feed", "batches", "stopped", "received", "accepted", "last_delivery")}
    assert named == {
        "feed": wages.feed,
        "batches": 2,
        "stopped": 1,
        "received": 990 + 900,
        "accepted": 990 + 900,
        "last_delivery": "2026-04",
    }
    assert feed_status(connection, wages, at(2026, 6, 22)).rows == 900


def test_changes_have_no_usual_number_of_rows(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    feed = "hrss/certificates"
    enter(connection, "2026-05-30", received=1000, feed=feed)
    enter(connection, "2026-05-31", received=1, feed=feed)
    contract = find_contract(Settings.load().contracts_folder, feed)
    status = feed_status(connection, contract, at(2026, 6, 1))
    assert status.is_late is False
    assert status.rows_before is None
    assert status.is_shrinking is False
