"""Identity numbers where none is asked for: the row is refused by a rule of its own, and nothing keeps the number."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import openpyxl
import pytest
import yaml

from tests.unit.batch.batches import ROOT, judge, part, resident_id, wage, wage_bytes
from threegaps.batch.verdict import JudgedBlock
from threegaps.contracts.loader import find_contract, load_contract
from threegaps.contracts.tables import QUARANTINE_COLUMNS
from threegaps.errors import ContractError

NUMBER = resident_id(321)
SHORT = NUMBER[:6] + NUMBER[8:17]
SLIPPED = NUMBER[:17] + ("1" if NUMBER[17] != "1" else "2")
FULL_WIDTH = NUMBER.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ"))
SPACED = f"{NUMBER[:6]} - {NUMBER[6:14]} {NUMBER[14:]}"
UNSEEN = f"{NUMBER[:6]}\u200b{NUMBER[6:14]}\u2060{NUMBER[14:]}"
ENTERPRISES = find_contract(ROOT, "hrss/skill_enterprises")
ENROLLMENTS = find_contract(ROOT, "hrss/training_enrollments")


def refused_rows(blocks: list[JudgedBlock]) -> list[tuple[dict[str, str | None], list[str]]]:
    """Each refused row's texts and the rules that it broke."""
    written = b"".join(block.refused for block in blocks).decode()
    rows = csv.DictReader(io.StringIO(written), fieldnames=QUARANTINE_COLUMNS)
    return [(json.loads(row["row_data"]), [one["rule"] for one in json.loads(row["reasons"])]) for row in rows]


def everything(blocks: list[JudgedBlock]) -> str:
    return b"".join(block.accepted + block.refused for block in blocks).decode()


@pytest.mark.parametrize(
    "number",
    [NUMBER, SHORT, FULL_WIDTH, SPACED, UNSEEN, NUMBER + SHORT],
    ids=["18", "15", "full width", "spaced out", "with what shows nothing", "two without a gap"],
)
@pytest.mark.parametrize("column", ["employer_code", "industry_code", "wage_cny_month", "wage_month", "amount_unit"])
def test_a_number_in_any_column_is_refused_and_masked(column: str, number: str) -> None:
    rows = [wage(1), wage(2, **{column: number}), wage(3, **{column: f"见{number}"})]
    judgement, blocks = judge([part(wage_bytes(*rows))])
    refused = refused_rows(blocks)
    assert len(refused) == 2
    assert all("identity_in_text" in rules for _, rules in refused)
    assert [row[column] for row, _ in refused] == ["***", "见***"]
    assert not any(text in everything(blocks) for text in (NUMBER, SHORT, FULL_WIDTH, SPACED, UNSEEN))
    judgement.finish()


def test_a_row_that_is_refused_for_something_else_is_masked_too() -> None:
    both = wage(1, scheme="999", employer_code=f"E{NUMBER}")
    _, blocks = judge([part(wage_bytes(both))])
    ((row, rules),) = refused_rows(blocks)
    assert rules == ["scheme_code", "identity_in_text"]
    assert row["employer_code"] == "E***"


@pytest.mark.parametrize(
    "left",
    [NUMBER[:17], f"{NUMBER[0]}.{NUMBER[1:6]}E+17", SLIPPED, f"{SLIPPED[:6]} {SLIPPED[6:14]} {SLIPPED[14:]}"],
    ids=["cut off", "by a spreadsheet", "with a slip", "with a slip, spaced out"],
)
def test_what_is_left_of_a_number_is_masked_in_what_is_kept(left: str) -> None:
    _, blocks = judge([part(wage_bytes(wage(1, scheme="999", employer_code=left), wage(2)))])
    ((row, rules),) = refused_rows(blocks)
    assert "scheme_code" in rules
    assert "identity_in_text" not in rules
    assert row["employer_code"] == "***"


def test_a_misshapen_row_shows_nothing() -> None:
    _, blocks = judge([part(wage_bytes(wage(1), f"{wage(2)},{NUMBER}"))])
    ((row, rules),) = refused_rows(blocks)
    assert (rules, list(row)) == (["row_shape"], ["fields"])


def test_a_number_in_a_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    fixture = yaml.safe_load((ROOT.parent / "tests/fixtures/feeds/hrss/skill_enterprises.yml").read_text())
    for row in fixture["files"][0]["rows"]:
        sheet.append(row)
    for area in fixture["files"][0].get("merged", ()):
        sheet.merge_cells(area)
    names = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str) and "公司" in cell.value]
    names[0].value = f"{names[0].value}({NUMBER})"
    path = tmp_path / "roster.xlsx"
    book.save(path)
    _, blocks = judge([part(path.read_bytes(), name=path.name)], ENTERPRISES)
    held = [row for row, rules in refused_rows(blocks) if "identity_in_text" in rules]
    assert [row["enterprise_name"][-5:] for row in held] == ["(***)"]
    assert NUMBER not in everything(blocks)


@pytest.mark.parametrize(
    "value", [NUMBER, int(SHORT), {"note": NUMBER}, [NUMBER]], ids=["text", "int", "object", "list"]
)
def test_a_number_in_json(value: object) -> None:
    record = {column.source_name: None for column in ENROLLMENTS.columns} | {"occupationCode": value}
    page = json.dumps({"data": {"rows": [record]}}).encode()
    _, blocks = judge([part(page, name="pages.jsonl")], ENROLLMENTS)
    ((row, rules),) = refused_rows(blocks)
    assert "identity_in_text" in rules
    assert "***" in str(row["occupation_code"])
    assert NUMBER not in everything(blocks)
    assert SHORT not in everything(blocks)


def declared(tmp_path: Path, column: str, pattern: str | None, **kwargs: object) -> Path:
    """The wages' contract with another form of a column, and what it says of the rule."""
    document = yaml.safe_load((ROOT / "hrss" / "wage_records.odcs.yaml").read_text(encoding="utf-8"))
    table = document["schema"][0]
    own = next(one for one in table["properties"] if one["name"] == column)
    if pattern is not None:
        own["logicalTypeOptions"] = {"pattern": pattern}
    if kwargs:
        rule = {"name": "identity_in_text", "type": "custom", "engine": "greatExpectations"}
        table["quality"] = [{**rule, "implementation": kwargs}]
    path = tmp_path / "wage_records.odcs.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def test_a_form_of_ones_own_is_no_number(tmp_path: Path) -> None:
    contract = load_contract(declared(tmp_path, "employer_code", "^DW-[0-9]{15}$"))
    rows = [wage(1, employer_code=f"DW-{SHORT}"), wage(2, employer_code=SHORT)]
    judgement, blocks = judge([part(wage_bytes(*rows))], dataclasses.replace(contract, batch_rules=()))
    ((row, rules),) = refused_rows(blocks)
    assert rules == ["employer_code_pattern", "identity_in_text"]
    assert row["employer_code"] == "***"
    assert judgement.finish().counts.accepted == 1


def test_a_form_that_numbers_have_too_exempts_nothing() -> None:
    _, blocks = judge([part(wage_bytes(wage(1, employer_code=NUMBER)))])
    ((_, rules),) = refused_rows(blocks)
    assert rules == ["identity_in_text"]


def test_a_contract_may_exempt_a_column(tmp_path: Path) -> None:
    path = declared(tmp_path, "employer_code", None, kwargs={"exempt_columns": ["employer_code"]})
    contract = dataclasses.replace(load_contract(path), batch_rules=())
    rows = [wage(1, employer_code=SHORT), wage(2, industry_code=NUMBER)]
    judgement, blocks = judge([part(wage_bytes(*rows))], contract)
    ((_, rules),) = refused_rows(blocks)
    assert "identity_in_text" in rules
    assert judgement.finish().counts.accepted == 1


@pytest.mark.parametrize(
    "said",
    [{"kwargs": {"exempt_columns": ["employer"]}}, {"meta": {"action": "warn"}}],
    ids=["unknown column", "no refusal"],
)
def test_an_exception_must_be_possible(said: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        load_contract(declared(tmp_path, "employer_code", None, **said))


@pytest.mark.parametrize(
    ("birthday", "is_refused"), [("20250531", False), ("20250601", False), ("20250602", True), ("20990101", True)]
)
def test_nobody_is_born_after_the_row_s_date(birthday: str, is_refused: bool) -> None:
    later = wage(3, resident_id=resident_id(3, "20260101"))
    judgement, blocks = judge([part(wage_bytes(wage(1), wage(2, resident_id=resident_id(2, birthday)), later))])
    refused = refused_rows(blocks)
    assert all(rules == ["resident_id_birth_after_date"] for _, rules in refused)
    assert len(refused) == (2 if is_refused else 1)
    judgement.finish()


def test_the_first_date_that_is_given_counts() -> None:
    rule = next(rule for rule in ENROLLMENTS.rules if rule.rule == "resident_id_birth_after_date")
    assert rule.columns == ("resident_id", "id_type", "completion_date", "left_on", "start_date")
