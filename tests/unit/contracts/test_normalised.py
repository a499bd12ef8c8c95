"""Normalisations that could not run on the contract's columns are refused when the contract is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from threegaps.contracts.loader import load_contract
from threegaps.errors import ContractError
from threegaps.settings import Settings

ROSTER = Settings.load().contracts_folder / "hrss" / "skill_enterprises.odcs.yaml"


def written(tmp_path: Path, *normalisations: dict[str, object], without_headers: tuple[str, ...] = ()) -> Path:
    document = yaml.safe_load(ROSTER.read_text(encoding="utf-8"))
    for entry in document["customProperties"]:
        if entry["property"] == "normalisations":
            entry["value"] += normalisations
    for column in document["schema"][0]["properties"]:
        if column["name"] in without_headers:
            column["customProperties"] = [e for e in column["customProperties"] if e["property"] != "headers"]
    path = tmp_path / "skill_enterprises.odcs.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


RIGHT: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "a number and its bound": (
        {"kind": "bounded_number", "column": "employees", "boundColumn": "city_name"}, ("city_name",),
    ),
    "a range": (
        {"kind": "number_range", "column": "city_name", "lowColumn": "employees", "highColumn": "skilled_employees"},
        ("employees", "skilled_employees"),
    ),
    "a unit": ({"kind": "declared_unit", "columns": ["employees"], "unit": "百人", "factor": 100}, ()),
    "written numbers": ({"kind": "written_number", "columns": ["employees"], "measureWords": ["人"]}, ()),
    "names": ({"kind": "county_names", "column": "county_name", "cityColumn": "city_name"}, ()),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_fits_is_read(name: str, tmp_path: Path) -> None:
    option, without_headers = RIGHT[name]
    contract = load_contract(written(tmp_path, option, without_headers=without_headers))
    assert contract.normalisations[-1].kind == option["kind"]


WRONG: dict[str, tuple[dict[str, object], str, str | None]] = {
    "a bound that the department sends": (
        {"kind": "bounded_number", "column": "employees", "boundColumn": "city_name"}, "sends too", "city_name",
    ),
    "a bound of a text": (
        {"kind": "bounded_number", "column": "status", "boundColumn": "city_name"}, "is a string", "status",
    ),
    "dates of a number": ({"kind": "date_styles", "columns": ["employees"]}, "as date", "employees"),
    "a unit of a text": (
        {"kind": "declared_unit", "columns": ["status"], "unit": "万元", "factor": 10000},
        "number or integer", "status",
    ),
    "names by a text for a date": (
        {"kind": "county_names", "column": "county_name", "dateColumn": "status"}, "as date", "status",
    ),
    "coordinates of counts": (
        {"kind": "coordinates", "longitudeColumn": "employees", "latitudeColumn": "skilled_employees"},
        "as number", "employees",
    ),
    "a column that there is not": (
        {"kind": "county_names", "column": "county_name", "cityColumn": "town"}, "does not describe", "town",
    ),
    "a misspelt key": (
        {"kind": "number_range", "column": "city_name", "lowColum": "employees", "highColumn": "skilled_employees"},
        "did you mean 'lowColumn'?", None,
    ),
    "a factor that changes nothing": (
        {"kind": "declared_unit", "columns": ["employees"], "unit": "人", "factor": 1},
        "greater than or equal to 2", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_with_its_column(name: str, tmp_path: Path) -> None:
    option, said, column = WRONG[name]
    with pytest.raises(ContractError) as refused:
        load_contract(written(tmp_path, option))
    assert said in refused.value.message
    assert refused.value.column == column


def test_a_column_that_nothing_fills_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no headers and no origin") as refused:
        load_contract(written(tmp_path, without_headers=("city_name",)))
    assert refused.value.column == "city_name"


def test_a_column_that_two_normalisations_make_is_refused(tmp_path: Path) -> None:
    bounds = [{"kind": "bounded_number", "column": name, "boundColumn": "city_name"} for name in
              ("employees", "skilled_employees")]  # fmt: skip
    with pytest.raises(ContractError, match="bounded_number makes too"):
        load_contract(written(tmp_path, *bounds, without_headers=("city_name",)))
