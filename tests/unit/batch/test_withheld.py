"""A personal column that is not stored is kept nowhere: neither with accepted rows nor with refused ones."""

from __future__ import annotations

import csv
import io
import json

import polars as pl

from tests.unit.batch.batches import KEY, ROOT
from tests.unit.feeds.feed_fixture import load_fixture
from threegaps.batch.decode import Part
from threegaps.batch.judge import Judgement
from threegaps.batch.quarantine import masked_source
from threegaps.contracts.loader import find_contract
from threegaps.contracts.tables import QUARANTINE_COLUMNS


def test_names_of_a_list_leave_its_judgement_nowhere() -> None:
    contract = find_contract(ROOT, "hrss/leading_talent")
    assert contract.withheld_columns == ("person_name",)
    fixture = load_fixture(contract)
    ((name, content),) = fixture.files.items()
    part = Part(1, name, lambda: io.BytesIO(content))
    judgement = Judgement(contract, [part], batch_id=1, delivery=fixture.delivery, key=KEY)
    blocks = list(judgement.blocks())
    text = b"".join(block.accepted + block.refused for block in blocks).decode()
    refused = list(
        csv.DictReader(io.StringIO(b"".join(block.refused for block in blocks).decode()), QUARANTINE_COLUMNS)
    )
    assert len(refused) == 2
    assert "合成工匠" not in text
    assert [json.loads(row["row_data"])["person_name"] for row in refused] == ["***", "***"]


def test_a_name_that_is_missing_stays_missing() -> None:
    frame = pl.DataFrame({"name": ["甲", None], "honour": ["乙", "丙"]})
    masked = masked_source(frame, None, pl.Series(["1-1", "1-2"]), ("name",))
    assert masked.to_dict(as_series=False) == {"name": ["***", None], "honour": ["乙", "丙"]}
