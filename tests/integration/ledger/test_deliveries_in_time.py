"""A feed whose cadence changed: its deliveries follow one another in time, whatever the text of their keys says."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.integration.ledger.sent import at, judge, land
from threegaps.calendar import Delivery
from threegaps.cli.queries import REFUSED_BY_RULE
from threegaps.contracts.loader import find_contract
from threegaps.ledger import batches
from threegaps.settings import Settings
from threegaps.watch.gathering import read_loaded

pytestmark = pytest.mark.integration

FEED = "hrss/wage_records"
OLDER, NEWER = "2026Q2", "2026-12"


@pytest.fixture
def sent(ledger: psycopg.Connection[Any]) -> dict[str, int]:
    """A quarter, then months: the batch of each."""
    contract = find_contract(Settings.load().contracts_folder, FEED)
    ledger.execute(
        "insert into ops.feed (feed, delivery_kind, first_day) values (%s, 'full_period', '2026-04-01')", [FEED]
    )
    found = {}
    for number, key in enumerate((OLDER, "2026-11", NEWER)):
        which = replace(contract, cadence=Delivery.of_key(key).cadence)
        landed = land(ledger, FEED, key, at("2026-12-31"))
        found[key] = judge(ledger, which, key, [landed], received=100 + number)
        ledger.execute(
            "insert into quarantine.refused_row (row_token, batch_id, feed, delivery, landed_object_id, row_number,"
            " county_code, row_data, reasons) values (%s, %s, %s, %s, %s, 1, '330106', '{}', %s)",
            [f"{landed}-1", found[key], FEED, key, landed, json.dumps([{"rule": "one", "message_zh": "错"}])],
        )
    return found


def test_what_came_last_is_the_last_in_time(ledger: psycopg.Connection[Any], sent: dict[str, int]) -> None:
    assert read_loaded(ledger, dt.datetime.now(dt.UTC)).newest[FEED][0] == NEWER
    with ledger.cursor(row_factory=dict_row) as cursor:
        (sums,) = cursor.execute(batches.SUMS_OF_BATCHES).fetchall()
        (refused,) = cursor.execute(REFUSED_BY_RULE, {"feed": FEED, "delivery": None}).fetchall()
    assert (sums["last_delivery"], sums["batches"]) == (NEWER, len(sent))
    assert (refused["first_delivery"], refused["last_delivery"], refused["refused_rows"]) == (OLDER, NEWER, 3)


def test_a_batch_is_compared_with_the_delivery_before_it(ledger: psycopg.Connection[Any], sent: dict[str, int]) -> None:
    before = {key: batches.previous_batch(ledger, batch_id) for key, batch_id in sent.items()}
    assert {key: found and found.delivery for key, found in before.items()} == {
        OLDER: None,
        "2026-11": OLDER,
        NEWER: "2026-11",
    }
