"""What lineage says of a feed: names, meanings and grades; nothing at all where it is off; no task fails for it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from openlineage.client.serde import Serde
from openlineage.common.provider.dbt.facets import ParentRunMetadata

from threegaps.contracts.loader import find_contract, load_contracts
from threegaps.contracts.tables import raw_columns
from threegaps.marts.manifest import ServedColumn, ServedTable
from threegaps.orchestration import lineage
from threegaps.settings import Settings

ROOT = Settings.load().root
CONTRACTS = load_contracts(ROOT / "expectations")
WAGES = find_contract(ROOT / "expectations", "hrss/wage_records")
# A transport that would send: whoever asks for it has switched lineage on.
TRANSPORT = {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "console"})}

INDICATORS = ServedTable(
    schema="marts",
    name="indicator_value",
    source_schema="build",
    source_name="indicator_value_shown",
    comment="指标值 | figures",
    key=("area_code",),
    indexes=(),
    row_policy="audience",
    is_synthetic_in_sandbox=True,
    columns=(ServedColumn("area_code", "text", "地区 | area"), ServedColumn("value", "numeric", "值 | value")),
)

PROBE = """
import json, sys
from pathlib import Path
from threegaps.contracts.loader import find_contract
from threegaps.orchestration import lineage, preloaded
from threegaps.settings import Settings
if len(sys.argv) > 1:
    preloaded.preload()
settings = Settings.load()
contract = find_contract(settings.contracts_folder, "hrss/wage_records")
is_on = lineage.is_on()
if not is_on:
    lineage.note_landing(contract)
    lineage.note_load(contract, {"accepted": 1})
    lineage.note_build(settings, "1")
    lineage.note_release([None])
print(json.dumps([is_on, sorted(name for name in sys.modules if name.split(".")[0].startswith("openlineage"))]))
"""


@pytest.mark.parametrize("variables", [{"AIRFLOW__OPENLINEAGE__TRANSPORT": ""}, TRANSPORT])
def test_off_costs_nothing(variables: dict[str, str]) -> None:
    """Neither in the scheduler, whose tasks are forks of it, nor in the tasks; with a transport it is on."""
    given = {name: value for name, value in os.environ.items() if "OPENLINEAGE" not in name}
    finished = subprocess.run(
        [sys.executable, "-c", PROBE, *(["preload"] if variables != TRANSPORT else [])],
        capture_output=True,
        text=True,
        check=True,
        env=given | {"PYTHONPATH": str(ROOT / "plugins")} | variables,
    )
    is_on, imported = json.loads(finished.stdout.strip().splitlines()[-1])
    assert is_on is (variables == TRANSPORT)
    assert bool(imported) is is_on


def facets(dataset: Any) -> dict[str, Any]:
    return dict(json.loads(Serde.to_json(dataset))["facets"])


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.feed)
def test_a_feed_is_said_column_by_column_with_its_grade(contract: Any) -> None:
    sent = facets(lineage._sent(contract, lineage.FEEDS))
    assert [field["name"] for field in sent["schema"]["fields"]] == [column.name for column in contract.sent_columns]
    assert {tag["field"]: tag["value"] for tag in sent["tags"]["tags"]} == {
        column.name: column.grade for column in contract.sent_columns
    }
    raw = facets(lineage._raw_table(contract, 5))
    columns = [column.name for column in raw_columns(contract)]
    assert [field["name"] for field in raw["schema"]["fields"]] == columns
    assert "resident_id" not in columns
    fields = raw["columnLineage"]["fields"]
    assert set(fields) <= set(columns)
    for name, field in fields.items():
        (source,) = field["inputFields"]
        assert source["field"] in {column.name for column in contract.sent_columns}
        is_masked = name in {"person_id", "birth_year", "sex"} and contract.has_person
        assert source["transformations"][0]["masking"] is is_masked
        assert source["field"] == ("resident_id" if is_masked else name)
    # What is derived from several columns, or from none that is sent, is left open.
    derived = {"person_id", "birth_year", "sex"} if contract.has_person else set()
    assert set(fields) == {column.name for column in contract.sent_columns} & set(columns) | derived


def test_counts_are_said_where_they_are_known() -> None:
    said = json.loads(Serde.to_json(lineage._raw_table(WAGES, 0)))
    assert said["outputFacets"]["outputStatistics"]["rowCount"] == 0
    assert "rowCount" not in Serde.to_json(lineage._quarantine(None))


def test_the_warehouse_has_the_name_that_a_catalogue_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lineage._raw_table(WAGES, None).namespace == "postgres://warehouse"
    monkeypatch.setenv(lineage.WAREHOUSE_VARIABLE, "postgres://db.example:5432")
    assert lineage._raw_table(WAGES, None).namespace == "postgres://db.example:5432"
    assert lineage._raw_table(WAGES, None).name == "warehouse.raw.hrss_wage_records"


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said of lineage in the task's log."""
    said: list[str] = []
    monkeypatch.setattr(lineage.log, "warning", lambda text, *values: said.append(text % values))
    return said


def test_a_task_does_not_fail_for_its_lineage(monkeypatch: pytest.MonkeyPatch, warnings: list[str]) -> None:
    """Outside of a run of Airflow there is no task to say it of, and no build left anything here."""
    monkeypatch.setattr(lineage, "is_on", lambda: True)
    monkeypatch.setattr("airflow.providers.openlineage.api.datasets.is_openlineage_active", lambda: True)
    lineage.note_landing(WAGES)
    lineage.note_load(WAGES, {"accepted": 3, "refused": 1})
    lineage.note_build(Settings.load(), "no such build")
    lineage.note_release([INDICATORS])
    assert [text.partition(" could")[0] for text in warnings] == [
        "Lineage",
        "Lineage",
        "Lineage of build no such build",
        "Lineage of the release",
    ]


def test_a_catalogue_that_hangs_does_not_hold_up_a_build(monkeypatch: pytest.MonkeyPatch, warnings: list[str]) -> None:
    clock = iter(range(0, 10_000, 25))
    sent: list[Any] = []
    monkeypatch.setattr("threegaps.orchestration.lineage.time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("airflow.providers.openlineage.api.emit", sent.append)
    lineage._send(list(range(10)))
    assert sent == [0, 1]
    assert warnings == ["Lineage: 2 of 10 events sent; the others would take too long."]


def test_a_release_leads_from_what_was_built_to_what_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each relation that it wrote in a run of its own below the task's, with names, meanings and no value."""
    run_id, sent = "01941f29-7c00-7087-8a40-44b512e426bd", []
    monkeypatch.setattr(lineage, "is_on", lambda: True)
    monkeypatch.setattr(lineage, "_send", sent.extend)
    monkeypatch.setattr(lineage, "_task_that_runs", lambda: ParentRunMetadata(run_id, "marts.release", "threegaps"))
    other = dataclasses.replace(INDICATORS, schema="exact", name="cell", source_name="indicator_cell")
    lineage.note_release([INDICATORS, other])
    events = [json.loads(Serde.to_json(event)) for event in sent]
    assert [
        ([one["name"] for one in event["inputs"]], [one["name"] for one in event["outputs"]]) for event in events
    ] == [
        (["warehouse.build.indicator_value_shown"], ["warehouse.marts.indicator_value"]),
        (["warehouse.build.indicator_cell"], ["warehouse.exact.cell"]),
    ]
    assert [event["job"]["name"] for event in events] == ["release.marts.indicator_value", "release.exact.cell"]
    assert len({event["run"]["runId"] for event in events}) == 2
    for event in events:
        assert event["eventType"] == "COMPLETE"
        assert event["run"]["facets"]["parent"]["run"]["runId"] == run_id
        (output,) = event["outputs"]
        assert [field["name"] for field in output["facets"]["schema"]["fields"]] == ["area_code", "value"]
        for name, field in output["facets"]["columnLineage"]["fields"].items():
            assert [(one["name"], one["field"]) for one in field["inputFields"]] == [(event["inputs"][0]["name"], name)]
