"""A check before sending finds what the pipeline would: on each feed's fixture, and on files that are spoilt."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.unit.feeds.feed_fixture import load_fixture
from threegaps.batch.decode.faults import FaultKind
from threegaps.calendar import Delivery
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.file_check import check_files
from threegaps.file_check.codes import INCOMPLETE_CODE, NAME_CODE, OF_FAULTS, OF_FILES, OF_RULES
from threegaps.returned import expected_zh
from threegaps.rules.registry import KINDS
from threegaps.settings import Settings

CONTRACTS = {contract.feed: contract for contract in load_contracts(Settings.load().contracts_folder)}


def written(folder: Path, files: dict[str, bytes]) -> list[Path]:
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_check_comes_to_what_the_pipeline_comes_to(contract: Contract, tmp_path: Path) -> None:
    fixture = load_fixture(contract)
    paths = written(tmp_path, dict(fixture.files))
    found = check_files(contract, paths, Delivery.parse(contract.cadence, fixture.delivery))
    assert found.counts is not None, found.findings
    counts = {name: getattr(found.counts, name) for name in fixture.counts}
    assert counts == dict(fixture.counts)
    names = [path.name for path in paths]
    refused: dict[tuple[int, int], set[str]] = defaultdict(set)
    for finding in found.findings:
        for place in finding.places:
            assert finding.rule
            refused[names.index(place.file) + 1, place.row_number].add(finding.rule)
            assert place.line is not None
    assert refused == {place: set(rules) for place, rules in fixture.refused.items()}
    assert len(found.rows) == len(refused)


def test_every_fault_has_a_number_of_its_own_that_is_documented() -> None:
    assert OF_FAULTS.keys() == set(FaultKind)
    assert OF_RULES.keys() == KINDS.keys()
    every = [*OF_FILES.values(), NAME_CODE, INCOMPLETE_CODE, *OF_FAULTS.values(), *OF_RULES.values()]
    assert len(set(every)) == len(every)
    for page in ("file-check.md", "file-check.zh.md"):
        text = (Settings.load().root / "docs" / page).read_text(encoding="utf-8")
        assert sorted(re.findall(r"^\| ([A-Z]\d\d) \|", text, re.MULTILINE)) == sorted(every)


def test_the_expected_value_of_every_column_is_said() -> None:
    for contract in CONTRACTS.values():
        for column in contract.sent_columns:
            assert re.search("[一-鿿]", expected_zh(column)), (contract.feed, column.name)
