"""A contract as it stands in the warehouse: the table's columns, what refusing rules demand, and no address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from threegaps.contracts.lint import standard_problems
from threegaps.contracts.loader import load_contract
from threegaps.contracts.tables import raw_columns, raw_key
from threegaps.contracts.warehouse_form import warehouse_form

ROOT = Path(__file__).parents[3] / "expectations"
PATHS = sorted(ROOT.glob("*/*.odcs.yaml"))
WAGES = ROOT / "hrss" / "wage_records.odcs.yaml"


def columns(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in form["schema"][0]["properties"]}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_describes_the_raw_table(path: Path) -> None:
    contract = load_contract(path)
    form = warehouse_form(contract)
    assert standard_problems(form) == []
    said = {name: (column["physicalType"], column["required"]) for name, column in columns(form).items()}
    assert said == {column.name: (column.sql_type, not column.nullable) for column in raw_columns(contract)}
    key = sorted((c["primaryKeyPosition"], c["name"]) for c in columns(form).values() if c.get("primaryKey"))
    assert tuple(name for _, name in key) == raw_key(contract)


def test_a_document_number_has_gone_with_its_rules() -> None:
    form = columns(warehouse_form(load_contract(WAGES)))
    assert "resident_id" not in form
    assert form["person_id"]["physicalType"] == "uuid"
    assert not {"logicalTypeOptions", "quality", "authoritativeDefinitions"} & form["person_id"].keys()


def test_codes_and_bounds_are_demanded_only_where_their_rule_refuses(tmp_path: Path) -> None:
    form = columns(warehouse_form(load_contract(WAGES)))
    assert form["payment_type"]["quality"][0]["arguments"] == {"validValues": ["01", "02"]}
    assert form["wage_month"]["logicalTypeOptions"] == {"minimum": "2015-01-01", "maximum": "2035-12-31"}
    written = yaml.safe_load(WAGES.read_text(encoding="utf-8"))
    for column in written["schema"][0]["properties"]:
        if column["name"] in {"payment_type", "wage_month"}:
            rule = f"{column['name']}_{'code' if column['name'] == 'payment_type' else 'range'}"
            meta = {"meta": {"action": "warn"}}
            column["quality"] = [
                {"name": rule, "type": "custom", "engine": "greatExpectations", "implementation": meta}
            ]
    path = tmp_path / "wage_records.odcs.yaml"
    path.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    warned = columns(warehouse_form(load_contract(path)))
    assert "quality" not in warned["payment_type"]
    assert "logicalTypeOptions" not in warned["wage_month"]


def test_it_holds_no_address() -> None:
    server = warehouse_form(load_contract(WAGES))["servers"][0]
    assert server["host"] == "from-the-environment"
    assert not {"user", "password"} & server.keys()
