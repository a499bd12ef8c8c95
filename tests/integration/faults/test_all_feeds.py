"""All feeds from their real servers into the warehouse, refused as the truth says, and again without doing anything."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import polars as pl
import psycopg
import pytest

from sandbox.calendar import OPENING_DAY
from tests.integration.faults.conftest import Departments
from threegaps import feed_run
from threegaps.calendar import Delivery
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.settings import Settings

pytestmark = pytest.mark.integration

CONTRACTS = {contract.feed: contract for contract in load_contracts(Settings.load().contracts_folder)}
# So many deliveries are caught up with: several where they are small, and few enough to be read in a moment.
DELIVERIES = {"month": 3, "quarter": 2, "year": 2, "term": 1}


def last_delivery(contract: Contract, sent: pl.DataFrame) -> tuple[str, int]:
    """Up to which delivery a feed catches up, and in how many batches: one where all is read at once."""
    if contract.protocol in {"http", "database"}:
        return Delivery.containing(contract.cadence, OPENING_DAY + dt.timedelta(days=1)).previous().key, 1
    deliveries = sent.filter(feed=contract.feed)["delivery"].unique().sort()[: DELIVERIES.get(contract.cadence, 1)]
    return str(deliveries[-1]), len(deliveries)


@pytest.mark.parametrize("feed", CONTRACTS)
def test_a_feed_catches_up_and_a_second_run_is_a_no_op(feed: str, reading: Departments, warehouse: str) -> None:
    contract = CONTRACTS[feed]
    last, batches = last_delivery(contract, pl.read_parquet(reading.home / "truth" / "counts.parquet"))
    landed = feed_run.land(feed, last)
    assert landed
    loaded = feed_run.load(feed, last)
    assert len(loaded) == batches
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute(
            "select received, accepted, refused, duplicates, is_complete from ops.batch where status = 'loaded'"
        ).fetchall()
        table = feed.replace("/", "_")
        stored = connection.execute(f"select count(*) from raw.{table}").fetchone()
        reasons = connection.execute(
            "select array(select r ->> 'rule' from jsonb_array_elements(reasons) as r) from quarantine.refused_row"
        ).fetchall()
        deliveries = connection.execute("select distinct delivery from ops.batch").fetchall()
        since = connection.execute("select min(covered_from) from ops.feed_coverage").fetchone()
    assert since is not None
    first = Delivery.parse(contract.cadence, contract.first_delivery).start
    assert since[0] == (contract.covers_from or first)
    assert stored is not None
    assert stored[0] > 0
    for received, accepted, refused, duplicates, is_complete in rows:
        assert received == accepted + refused + duplicates
        assert is_complete
    # Feeds of changes have one catch-up, whose wrong rows are of no delivery.
    truth = pl.read_parquet(reading.home / "truth" / "bad_rows.parquet").filter(
        (pl.col("feed") == feed) & pl.col("delivery").is_in(["", *(key for (key,) in deliveries)])
    )
    assert Counter(frozenset(rules) for (rules,) in reasons) == Counter(frozenset(rules) for rules in truth["rules"])
    assert feed_run.land(feed, last) == []
    assert feed_run.load(feed, last) == []
