"""Layouts that a contract may declare, and those that leave open where a value comes from."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from threegaps.contracts.layouts import headers_of
from threegaps.contracts.lint import lint_contract
from threegaps.contracts.loader import load_contract
from threegaps.contracts.options.formats import WorkbookFormat
from threegaps.errors import ContractError

ROSTER = Path(__file__).parents[3] / "expectations" / "hrss" / "skill_enterprises.odcs.yaml"


def custom(entries: list[dict[str, Any]], name: str) -> Any:
    return next(entry for entry in entries if entry["property"] == name)["value"]


class Written:
    """The roster's contract, to be changed and read."""

    def __init__(self, folder: Path) -> None:
        self.document = copy.deepcopy(yaml.safe_load(ROSTER.read_text(encoding="utf-8")))
        self.format: dict[str, Any] = custom(self.document["customProperties"], "fileFormat")
        self.path = folder / "hrss" / ROSTER.name
        self.path.parent.mkdir()

    def column(self, name: str) -> list[dict[str, Any]]:
        properties = self.document["schema"][0]["properties"]
        return next(one for one in properties if one["name"] == name)["customProperties"]

    def save(self) -> Path:
        self.path.write_text(yaml.safe_dump(self.document, allow_unicode=True), encoding="utf-8")
        return self.path


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def test_sheets_origins_dates_and_layouts_are_read(written: Written) -> None:
    written.format |= {
        "sheets": {"by": "all"},
        "sheetsWithoutRows": {"names": ["说明"], "pattern": "字典.*"},
        "mergedData": "repeat",
        "fileName": "skill_enterprises_(?P<recognition_round>.*)\\.xlsx",
        "values": {"city_name": "杭州市"},
        "limits": {"rows": 5},
        "layouts": [
            {"name": "old", "files": ".*2024.*", "headers": {"employees": "职工数"}, "without": ["sequence_number"]},
            {"name": "new", "files": ".*20(2[5-9]|3).*", "headerRows": 1},
        ],
    }
    for name, origin in (("county_name", "sheet_name"), ("city_name", "declared"), ("recognition_round", "file_name")):
        properties = written.column(name)
        properties[:] = [one for one in properties if one["property"] != "headers"]
        properties.append({"property": "origin", "value": origin})
    headers = custom(written.column("status"), "headers")
    headers[:] = [
        {"header": "情况", "validTo": dt.date(2024, 12, 31)},
        {"header": "状态", "validFrom": dt.date(2025, 1, 1)},
    ]
    contract = load_contract(written.save())
    assert lint_contract(written.path) == []
    declared = contract.file_format
    assert isinstance(declared, WorkbookFormat)
    assert declared.sheets_without_rows.has("字典1")
    assert not declared.sheets_without_rows.has("字")
    assert declared.limits.rows == 5
    old, new = declared.layouts
    employees = contract.by_name["employees"]
    assert [one.name for one in headers_of(employees, old)] == ["职工数"]
    assert [one.name for one in headers_of(employees, new)] == ["职工情况/职工总数"]
    assert headers_of(contract.by_name["sequence_number"], old) == ()
    assert contract.by_name["county_name"].source_name == "县(市、区)"
    status = contract.by_name["status"]
    assert [one.valid_to.year for one in status.headers] == [2024, 9999]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a key that does not exist": ({"sheetz": 1}, "fileFormat/sheetz: unknown key; did you mean 'sheets'"),
    "sheets by nothing known": ({"sheets": {"by": "colour"}}, "fileFormat/sheets/by: 'colour' is not known"),
    "names of no sheet": ({"sheets": {"by": "names"}}, "fileFormat/sheets/names: is missing"),
    "half an expression": ({"sheets": {"by": "pattern", "pattern": "("}}, "sheets/pattern: no regular expression"),
    "a limit of nothing": ({"limits": {"rows": 0}}, "limits/rows"),
    "a group that is no column": ({"fileName": "(?P<who>.*)"}, "does not describe"),
    "a group of a column that has headers": ({"fileName": "(?P<status>.*)"}, "origin file_name"),
    "a value of a column that has headers": ({"values": {"status": "x"}}, "origin declared"),
    "two layouts of one name": (
        {"layouts": [{"name": "a", "files": "a"}, {"name": "a", "files": "b"}]},
        "layout 'a' stands twice",
    ),
    "a layout without a required column": (
        {"layouts": [{"name": "a", "files": "a", "without": ["status"]}]},
        "a layout is without it",
    ),
    "a layout that calls two columns alike": (
        {"layouts": [{"name": "a", "files": "a", "headers": {"status": "x", "employees": "x"}}]},
        "means status too in layout a",
    ),
    "a layout of a column that does not exist": (
        {"layouts": [{"name": "a", "files": "a", "headers": {"statuz": "x"}}]},
        "layouts/0 names a column",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_layout_that_could_not_be_read_is_refused(name: str, written: Written) -> None:
    change, words = WRONG[name]
    written.format |= change
    with pytest.raises(ContractError, match=words.replace("(", r"\(")):
        load_contract(written.save())


def test_an_origin_needs_its_source(written: Written) -> None:
    properties = written.column("county_name")
    properties.append({"property": "origin", "value": "sheet_name"})
    with pytest.raises(ContractError, match="headers and an origin"):
        load_contract(written.save())
    properties[:] = [{"property": "origin", "value": "declared"}]
    with pytest.raises(ContractError, match="origin declared"):
        load_contract(written.save())


def test_two_columns_may_have_one_header_on_different_days_only(written: Written) -> None:
    status, rounds = (custom(written.column(name), "headers") for name in ("status", "recognition_round"))
    status[:] = [{"header": "情况", "validTo": dt.date(2024, 12, 31)}]
    rounds[:] = [{"header": "情况", "validFrom": dt.date(2024, 12, 31)}]
    with pytest.raises(ContractError, match=r"means (recognition_round|status) too"):
        load_contract(written.save())
    rounds[0]["validFrom"] = dt.date(2025, 1, 1)
    load_contract(written.save())
