"""The policy that every DAG keeps, and what reading a DAG file may cost."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import PartitionedAssetTimetable as DefinedPartitionedAssetTimetable
from airflow.sdk.definitions.asset import AssetUniqueKey
from airflow.sdk.definitions.context import _AIRFLOW_PARSING_CONTEXT_DAG_ID
from airflow.sdk.definitions.timetables.simple import NullTimetable
from airflow.sdk.execution_time.context import OutletEventAccessor
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.simple import PartitionedAssetTimetable

from threegaps.contracts import loader
from threegaps.contracts.loader import feeds_below, load_contracts
from threegaps.orchestration import feeds, pages, tasks
from threegaps.orchestration.names import feed_asset, feed_dag
from threegaps.settings import Settings

ROOT = Settings.load().root
CONTRACTS = load_contracts(ROOT / "expectations")
UPKEEP = {"upkeep", "retention"}
HEAVY = {"polars", "pandas", "numpy", "great_expectations", "dbt", "openpyxl", "paramiko", "psycopg"}


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(ROOT / "dags")


def dags_of(bag: DagBag, feeds: int = len(CONTRACTS)) -> dict[str, Any]:
    # A bag that reads nothing would let every policy pass.
    assert len(bag.dags) == feeds + 4
    return dict(bag.dags)


def test_every_dag_file_can_be_read(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert {feed_dag(contract.feed) for contract in CONTRACTS} | {"marts", "released"} | UPKEEP == set(dags_of(bag))
    assert {contract.feed for contract in CONTRACTS} == set(feeds_below(ROOT / "expectations"))


def test_no_dag_file_is_left_out(bag: DagBag) -> None:
    assert len(bag.dagbag_stats) == len([*(ROOT / "dags").glob("*.py")]) >= 3
    assert all(stat.dag_num for stat in bag.dagbag_stats)


def test_every_task_has_an_end_and_an_owner(bag: DagBag) -> None:
    for dag in dags_of(bag).values():
        assert dag.catchup is False, dag.dag_id
        assert dag.max_active_runs == 1, dag.dag_id
        assert dag.dagrun_timeout is not None, dag.dag_id
        assert dag.description, dag.dag_id
        assert dag.tags, dag.dag_id
        assert dag.tasks, dag.dag_id
        for task in dag.tasks:
            assert task.execution_timeout is not None, (dag.dag_id, task.task_id)
            assert task.owner in {pages.DUTY_TEAM, *(contract.owner_zh for contract in CONTRACTS)}
            assert not task.depends_on_past


def test_names_are_ascii(bag: DagBag) -> None:
    for dag in dags_of(bag).values():
        assert dag.dag_id.isascii()
        assert dag.tasks, dag.dag_id
        assert all(task.task_id.isascii() for task in dag.tasks)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.feed)
def test_a_feed_lands_in_its_departments_pool_then_loads(bag: DagBag, contract: Any) -> None:
    dag = bag.dags[feed_dag(contract.feed)]
    land, load = dag.get_task("land"), dag.get_task("load")
    assert {task.task_id for task in dag.tasks} == {"land", "load"}
    assert land.downstream_task_ids == {"load"}
    assert land.pool == contract.pool
    assert load.pool == "default_pool"
    for task in (land, load):
        assert task.retries >= 3
        assert task.retry_exponential_backoff == 2.0
        assert task.max_retry_delay == dt.timedelta(minutes=30)
    assert [asset.name for asset in load.outlets] == [feed_asset(contract.feed)]
    assert land.outlets == []
    assert dag.timetable.cadence == contract.cadence
    assert dag.timetable.summary.endswith(contract.due_cron)


@pytest.mark.parametrize(
    ("run_after", "key", "delivery"),
    [
        # Due on the 20th, by Shanghai's clock.
        ("2026-07-19T23:59+00:00", None, "2026-05"),
        ("2026-07-20T12:00+00:00", None, "2026-06"),
        ("2026-07-20T12:00+00:00", "2026-02", "2026-02"),
    ],
)
def test_a_run_without_a_key_takes_the_newest_due_delivery_and_wakes_the_marts(
    bag: DagBag, monkeypatch: pytest.MonkeyPatch, run_after: str, key: str | None, delivery: str
) -> None:
    dag = bag.dags["feed_hrss_wage_records"]
    assert dag.timetable.summary == "month · 0 8 20 * *", "the days of this test are those of this schedule"
    asked: list[tuple[Any, ...]] = []
    for step in ("land", "load"):
        monkeypatch.setattr(
            tasks, step, lambda *given, step=step, **named: asked.append((step, *given, named)) or {"batches": [7]}
        )
    (outlet,) = dag.get_task("load").outlets
    event = OutletEventAccessor(key=AssetUniqueKey.from_asset(outlet))
    run = SimpleNamespace(run_after=dt.datetime.fromisoformat(run_after), run_id="manual__1")
    context: dict[str, Any] = {"partition_key": key, "dag_run": run, "ti": SimpleNamespace(try_number=2)}
    for _ in range(2):  # a retry, or the run after it was cleared
        dag.get_task("land").python_callable(**context)
        dag.get_task("load").python_callable(**context, outlet_events={outlet: event})
    named = {"run_id": "manual__1", "try_number": 2}
    assert asked == 2 * [(step, "hrss/wage_records", "month", delivery, named) for step in ("land", "load")]
    assert event.partition_keys == {delivery}
    assert event.extra == {"batches": [7]}


def test_any_feed_alone_wakes_the_marts_under_one_key(bag: DagBag) -> None:
    restored = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["marts"]))
    timetable = restored.timetable
    assert isinstance(timetable, PartitionedAssetTimetable)
    names = {key.name for key, _ in timetable.asset_condition.iter_assets()}
    assert names == {feed_asset(contract.feed) for contract in CONTRACTS}
    for name in names:
        mapper = timetable.get_partition_mapper(name=name)
        assert mapper.to_downstream("2026-06") == mapper.to_downstream("2026-06-30") == "build"
    assert [task.task_id for task in bag.dags["marts"].topological_sort()] == [
        "claim",
        "build",
        "release",
        "wake_released",
    ]
    assert bag.dags["marts"].get_task("build").retries == 0


CHINESE = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]{3}")


def test_every_dag_and_task_has_a_page_and_a_name_in_both_languages(bag: DagBag) -> None:
    """What it does, what a failure means, and where the runbook leads on."""
    headings = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE))
    for dag in dags_of(bag).values():
        titles = [dag.dag_display_name, *(task.task_display_name for task in dag.tasks)]
        for title in titles:
            assert CHINESE.search(title), (dag.dag_id, title)
            assert LATIN.search(title), (dag.dag_id, title)
        for name, page in [(dag.dag_id, dag.doc_md), *((task.task_id, task.doc_md) for task in dag.tasks)]:
            assert page, (dag.dag_id, name)
            for part in ("**做什么** ", "**What it does** ", "**失败意味着** ", "**A failure means** ", "**怎么办"):
                said = page.partition(part)[2].partition("\n")[0]
                assert len(said) > 15, (dag.dag_id, name, part)
            sections = re.findall("“(.+?)”", page.partition("`docs/runbook.md`")[2].partition("\n")[0])
            assert sections, (dag.dag_id, name)
            assert set(sections) <= headings, (dag.dag_id, name)


def test_no_page_is_of_a_task_that_there_is_not(bag: DagBag) -> None:
    assert set(pages.TASKS) == {task.task_id for dag in dags_of(bag).values() for task in dag.tasks}


def test_owners_are_reached_as_the_installation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(dag.owner_links == {} for dag in DagBag(ROOT / "dags" / "marts.py").dags.values())
    said = "hrss=mailto:duty@hrss.example duty=https://desk.example/threegaps statistics=nowhere finance= =https://a.b"
    monkeypatch.setenv(pages.LINKS_VARIABLE, said)
    read = DagBag(ROOT / "dags")
    # An address that Airflow would not take must not take the DAGs away.
    assert read.import_errors == {}
    for dag in dags_of(read).values():
        (owner,) = {task.owner for task in dag.tasks}
        if "hrss" in dag.tags:
            assert dag.owner_links == {owner: "mailto:duty@hrss.example"}
        elif "feed" in dag.tags:
            assert dag.owner_links == {}
        else:
            assert dag.owner_links == {pages.DUTY_TEAM: "https://desk.example/threegaps"}
    assert pages.read_links(Settings.load())[1] == ["statistics=nowhere", "finance=", "=https://a.b"]


def test_a_release_is_told_without_a_key(bag: DagBag) -> None:
    """An event of a run with a key wakes no DAG that is scheduled on the asset."""
    released, marts = bag.dags["released"], bag.dags["marts"]
    assert isinstance(marts.timetable, DefinedPartitionedAssetTimetable)
    assert isinstance(released.timetable, NullTimetable)
    (tell,) = released.tasks
    assert [(asset.name, asset.uri) for asset in tell.outlets] == [("marts_released", "threegaps://marts/released")]
    assert tell.inlets == tell.outlets
    wake = marts.get_task("wake_released")
    assert wake.trigger_dag_id == "released"
    assert wake.upstream_task_ids == {"release"}
    assert not any(asset.name == "marts_released" for task in marts.tasks for asset in task.outlets)


def test_no_part_of_the_upkeep_waits_for_another(bag: DagBag) -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["upkeep"]))
    chains = {task.task_id: task.downstream_task_ids for task in stored.tasks if not task.upstream_task_ids}
    assert chains == {
        "put_in_order": set(),
        "find_waiting_work": {"wake_marts"},
        "find_feeds_that_answer": {"wake_feeds_that_answer"},
        "find_late_feeds": {"wake_late_feeds"},
    }
    for task_id in ("wake_feeds_that_answer", "wake_late_feeds"):
        assert stored.get_task(task_id).is_mapped
        written = bag.dags["upkeep"].get_task(task_id).partial_kwargs
        assert (written["skip_when_already_exists"], written["logical_date"]) == (True, None)


def versions(bag: DagBag, feeds: int = len(CONTRACTS)) -> dict[str, str]:
    """What Airflow takes each DAG's version from."""
    dags = dags_of(bag, feeds)
    return {dag_id: SerializedDagModel.hash(DagSerialization.to_dict(dag)) for dag_id, dag in dags.items()}


def test_one_version_over_a_hundred_readings(bag: DagBag, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of everything over two, and over a hundred of a feed of each cadence: one function makes the DAGs of all."""
    whole = versions(bag)
    assert versions(DagBag(ROOT / "dags")) == whole
    few = tuple({contract.cadence: contract for contract in CONTRACTS}.values())
    assert {contract.cadence for contract in few} == {contract.cadence for contract in CONTRACTS}
    for module in (loader, feeds):
        monkeypatch.setattr(module, "load_contracts", lambda _: few)
    readings = [versions(DagBag(ROOT / "dags"), len(few)) for _ in range(100)]
    assert {json.dumps(found, sort_keys=True) for found in readings} == {json.dumps(readings[0], sort_keys=True)}
    names = {feed_dag(contract.feed) for contract in few}
    assert {name: readings[0][name] for name in names} == {name: whole[name] for name in names}


def test_a_task_reads_the_contract_of_its_own_feed_alone(bag: DagBag, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, "feed_hrss_wage_records")  # as Airflow does for a task
    read = DagBag(ROOT / "dags" / "feeds.py")
    assert read.import_errors == {}
    (dag,) = read.dags.values()
    assert DagSerialization.to_dict(dag) == DagSerialization.to_dict(bag.dags["feed_hrss_wage_records"])


def test_the_sandboxes_last_day_ends_scheduling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREEGAPS_SANDBOX_LAST_DAY", "2026-06-30")
    last = {
        dag.dag_id: dag.timetable.last_delivery for dag in DagBag(ROOT / "dags").dags.values() if "feed" in dag.tags
    }
    assert last["feed_hrss_training_enrollments"] == "2026-06-30"
    assert last["feed_hrss_wage_records"] == "2026-06"
    assert last["feed_hrss_skill_enterprises"] == "2026Q2"


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    """What `reading_blocked` says of each DAG file and of the plugin; in a process whose hashes are not ours."""
    finished = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("reading_blocked.py"))],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "plugins"), "PYTHONHASHSEED": "7"},
    )
    found: dict[str, Any] = json.loads(finished.stdout.strip().splitlines()[-1])
    assert found["files"].keys() == {path.name for path in (ROOT / "dags").glob("*.py")}
    return found


def test_reading_a_file_reaches_nothing_and_takes_a_small_multiple_of_parsing(read: dict[str, Any]) -> None:
    """No socket, database or process, no file but Python's and the project's.

    What it may cost is counted against a bare parser of the same contracts in the same process: a busy machine slows
    both.
    """
    for name, one in read["files"].items():
        assert one["faults"] == [], name
        assert one["versions"], name
        assert one["cpu_seconds"] <= 4 * one["parsing_seconds"], name


def test_another_process_reads_the_same_versions(read: dict[str, Any], bag: DagBag) -> None:
    found = {dag_id: version for one in read["files"].values() for dag_id, version in one["versions"].items()}
    assert found == versions(bag)


def test_reading_dags_and_plugin_imports_nothing_heavy(read: dict[str, Any]) -> None:
    for packages in (*(one["packages"] for one in read["files"].values()), read["packages_of_plugin"]):
        assert "threegaps" in packages
        assert not HEAVY & set(packages)


def test_a_feed_that_is_paused_or_unknown_is_not_run_again(bag: DagBag, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a paused one would pile up, and all run when somebody lets it go on."""
    wanted = [
        {"trigger_dag_id": f"feed_hrss_{name}", "trigger_run_id": name} for name in ("gone", "wage", "certificates")
    ]
    monkeypatch.setattr(tasks, "feeds_that_answer_again", lambda _: wanted)
    monkeypatch.setattr(tasks, "late_feeds", lambda: wanted)
    paused = {"feed_hrss_wage": True, "feed_hrss_certificates": False}
    busy: list[str] = []
    ti = SimpleNamespace(
        get_dag=lambda dag_id: SimpleNamespace(is_paused=paused[dag_id]),
        get_dr_count=lambda dag_id, states: busy.count(dag_id) if states == ["queued", "running"] else 0,
    )
    for task_id in ("find_feeds_that_answer", "find_late_feeds"):
        find = bag.dags["upkeep"].get_task(task_id).python_callable
        assert find(ti=ti) == wanted[2:]
    busy.append("feed_hrss_certificates")
    find = bag.dags["upkeep"].get_task("find_feeds_that_answer").python_callable
    assert find(ti=ti) == [], "what is under way, or waits for its retry, is tried by itself"
