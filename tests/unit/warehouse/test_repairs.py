"""What a department changed of a refused row, and what stays as it had landed."""

from __future__ import annotations

import json

import pytest

from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.settings import Settings
from threegaps.warehouse.repairs import Repair, is_touched, laid_over, repaired_tokens, repairs_file


@pytest.fixture
def wages() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/wage_records")


@pytest.fixture
def refused(wages: Contract) -> dict[str, str | None]:
    """A refused row as quarantine has it: without a wage, its document number replaced."""
    row: dict[str, str | None] = {column.name: f"{column.name} as sent" for column in wages.columns}
    return {**row, "wage_cny_month": None, "resident_id": "<7-3>"}


def sent_out(refused: dict[str, str | None], **changed: str) -> Repair:
    values = {name: value or "" for name, value in refused.items()} | {"resident_id": ""} | changed
    return Repair("7-3", 1, values)


def test_an_export_that_nobody_changed_is_untouched(refused: dict[str, str | None]) -> None:
    assert not is_touched(sent_out(refused), refused)


@pytest.mark.parametrize("change", [{"wage_cny_month": "7000"}, {"employer_code": ""}, {"resident_id": "1"}])
def test_each_changed_cell_counts(change: dict[str, str], refused: dict[str, str | None]) -> None:
    assert is_touched(sent_out(refused, **change), refused)


def test_a_repair_keeps_the_document_number_that_had_landed(wages: Contract, refused: dict[str, str | None]) -> None:
    row = laid_over(wages, sent_out(refused, wage_cny_month="7000"), refused, "landed number")
    assert row == {**refused, "wage_cny_month": "7000", "resident_id": "landed number"}


def test_a_repair_may_mend_the_document_number_and_empty_a_cell(
    wages: Contract, refused: dict[str, str | None]
) -> None:
    repair = sent_out(refused, resident_id="mended number", employer_code="")
    row = laid_over(wages, repair, refused, "landed number")
    assert (row["resident_id"], row["employer_code"]) == ("mended number", None)


def test_a_landed_file_of_repairs_says_which_rows_it_mends(wages: Contract, refused: dict[str, str | None]) -> None:
    repair = sent_out(refused, wage_cny_month="7000")
    landed = repairs_file([(repair, laid_over(wages, repair, refused, None))])
    assert repaired_tokens(landed) == ["7-3"]
    assert json.loads(landed)["row"]["wage_cny_month"] == "7000"
