"""Each feed's fixture, judged as its contract says: every row where it belongs, with every reason."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from tests.unit.feeds.feed_fixture import fixture_path, load_fixture
from threegaps.batch.decode import Part
from threegaps.batch.judge import Judgement
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.calendar import Delivery
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import QUARANTINE_COLUMNS
from threegaps.settings import Settings

CONTRACTS = load_contracts(Settings.load().contracts_folder)
KEY = PseudonymKey(b"a key of tests, long enough to be one", "1")

csv.field_size_limit(10_000_000)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.feed)
def test_every_row_ends_where_it_belongs(contract: Contract) -> None:
    fixture = load_fixture(contract)
    assert Delivery.parse(contract.cadence, fixture.delivery).key == fixture.delivery
    parts = [
        Part(number, name, lambda content=content: io.BytesIO(content))
        for number, (name, content) in enumerate(fixture.files.items(), 1)
    ]
    judgement = Judgement(contract, parts, batch_id=1, delivery=fixture.delivery, key=KEY)
    refused: dict[tuple[int, int], frozenset[str]] = {}
    sent_on = b""
    for block in judgement.blocks():
        sent_on += block.accepted + block.refused
        for row in csv.DictReader(io.StringIO(block.refused.decode()), fieldnames=QUARANTINE_COLUMNS):
            place = (int(row["landed_object_id"]), int(row["row_number"]))
            refused[place] = frozenset(reason["rule"] for reason in json.loads(row["reasons"]))
    verdict = judgement.finish()
    counts = verdict.counts
    assert verdict.stopped_by is None, verdict.message_en
    assert refused == fixture.refused
    assert {name: getattr(counts, name) for name in fixture.counts} == fixture.counts
    if fixture.normalisations is not None:
        assert verdict.normalisations == fixture.normalisations
    assert counts.received == counts.accepted + counts.refused + counts.duplicates
    # No document number leaves the judgement, accepted or refused; credit codes do.
    assert not re.search(rb"(?<![0-9A-Z])339900[0-9]{6}", sent_on)


def test_every_contract_has_its_fixture_and_every_fixture_its_contract() -> None:
    there = set(fixture_path("x/y").parents[1].rglob("*.yml"))
    assert there == {fixture_path(contract.feed) for contract in CONTRACTS}
