"""Our contracts in the hands of the Data Contract CLI: linted, and held against a loaded warehouse."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
import yaml

from threegaps import feed_run
from threegaps.cli import contract_test
from threegaps.contracts.expanded import expand
from threegaps.contracts.loader import find_contract, load_contract, load_contracts
from threegaps.contracts.warehouse_form import warehouse_form
from threegaps.errors import SettingsError
from threegaps.settings import Settings
from threegaps.warehouse.tables import ensure_tables

pytestmark = pytest.mark.integration

SETTINGS = Settings.load()
FOLDER = SETTINGS.contracts_folder
PATHS = sorted(FOLDER.glob("*/*.odcs.yaml"))
FORMS = (expand, warehouse_form)
INCOME = "statistics/resident_income"


@pytest.fixture(scope="module")
def tool() -> Path:
    try:
        return contract_test.tool_path(SETTINGS)
    except SettingsError:
        pytest.skip("the Data Contract CLI is not installed: `make contract-test` installs it")


@pytest.fixture
def loaded(warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A warehouse with the published figures of a delivery, loaded as any."""
    fixture = yaml.safe_load((SETTINGS.root / "tests" / "fixtures" / "feeds" / f"{INCOME}.yml").read_text("utf-8"))
    drop = tmp_path / "drop"
    (drop / "statistics").mkdir(parents=True)
    for file in fixture["files"]:
        (drop / "statistics" / file["name"]).write_text(file["text"], encoding="utf-8")
    monkeypatch.setenv(
        "AIRFLOW_CONN_STATISTICS_FILE_DROP", json.dumps({"conn_type": "fs", "extra": {"path": str(drop)}})
    )
    monkeypatch.setenv("AIRFLOW_VAR_THREEGAPS_PSEUDONYM_KEY", "a key of tests, long enough to be one")
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: warehouse)
    feed_run.land(INCOME, fixture["delivery"])
    feed_run.load(INCOME, fixture["delivery"])
    with psycopg.connect(warehouse) as connection:
        for contract in load_contracts(FOLDER):
            ensure_tables(connection, contract)
    return warehouse


def test_contracts_are_clean_as_written_in_full_and_in_the_warehouse(tool: Path) -> None:
    contracts = [load_contract(path) for path in PATHS]
    documents = {f"{path.stem}: as written": path for path in PATHS}
    documents |= {f"{contract.feed}: {form.__name__}": form(contract) for contract in contracts for form in FORMS}
    verdicts = zip(documents, contract_test.lint_documents(tool, list(documents.values())), strict=True)
    assert {name: verdict.answer for name, verdict in verdicts if not verdict.is_right} == {}


def test_a_wrong_document_is_not_called_clean(tool: Path) -> None:
    document = expand(find_contract(FOLDER, INCOME))
    document["schema"][0]["properties"][0]["logicalType"] = "text"
    right, wrong = contract_test.lint_documents(tool, [PATHS[0], document])
    assert right.is_right
    assert not wrong.is_right
    assert "text" in wrong.answer


def test_a_loaded_table_is_what_its_contract_says(tool: Path, loaded: str) -> None:
    form = warehouse_form(find_contract(FOLDER, INCOME))
    verdict = contract_test.check_table(tool, form, loaded)
    assert verdict.is_right, verdict.answer
    with psycopg.connect(loaded) as connection:
        row = connection.execute("select count(*) from raw.statistics_resident_income").fetchone()
        assert row is not None
        assert row[0] > 0
        connection.execute("update raw.statistics_resident_income set basis = 'guessed', income_urban_cny = 1")
    broken = contract_test.check_table(tool, form, loaded)
    assert not broken.is_right
    assert "basis has" in " ".join(broken.answer.replace("│", " ").split())


def test_a_table_with_persons_is_what_its_contract_says(tool: Path, loaded: str) -> None:
    """The document number stands in the contract, its pseudonym in the table."""
    form = warehouse_form(find_contract(FOLDER, "hrss/wage_records"))
    verdict = contract_test.check_table(tool, form, loaded)
    assert verdict.is_right, verdict.answer
    with psycopg.connect(loaded) as connection:
        connection.execute("alter table raw.hrss_wage_records rename column person_id to somebody")
    assert not contract_test.check_table(tool, form, loaded).is_right
