"""How a failed task's log ends: with the cause in plain words, whole, behind whatever Airflow writes of the error."""

from __future__ import annotations

import json
import logging
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk._shared.logging.structlog import configure_logging
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time import task_runner
from airflow.utils.state import TaskInstanceState

from threegaps.errors import FeedError, LedgerError, SourceUnavailableError
from threegaps.orchestration import tasks
from threegaps.settings import Settings

DEAD = SourceUnavailableError(
    "The department's system at 192.0.2.7:2222 cannot be reached: connection refused.",
    feed="hrss/wage_records",
    connection_id="hrss_sftp",
    advice="look whether it is up; the task can simply be run again.",
    message_zh="部门系统 192.0.2.7:2222 无法连接:连接被拒绝。",
    host="192.0.2.7",
    port=2222,
)


@pytest.fixture(scope="module")
def wages() -> Any:
    return DagBag(Settings.load().root / "dags").dags["feed_hrss_wage_records"]


def failing(error: BaseException) -> BaseException:
    """What *error* becomes on its way out of a task."""
    try:
        with tasks.plain_errors("hrss/wage_records"):
            raise error
    except BaseException as told:  # noqa: BLE001  # time-outs, too
        return told


@pytest.fixture
def log_of(wages: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Gives the lines, as Airflow's task runner writes them to its JSON log, of a task that ends with an error."""

    def run(task_id: str, error: BaseException, state: TaskInstanceState) -> list[dict[str, Any]]:
        path = tmp_path / "attempt.log"
        with path.open("wb") as output:
            configure_logging(json_output=True, log_level="INFO", output=output)
            log = structlog.get_logger("task")
            try:
                raise error
            except BaseException:
                log.exception("Task failed with exception")
            log.info("::group::Post Execute")
            ti: Any = types.SimpleNamespace(
                start_date=None, end_date=None, task=wages.get_task(task_id), stats_tags={}, get_template_context=dict
            )
            context: Any = {"exception": error, "ti": ti}
            monkeypatch.setattr(task_runner, "context_get_outlet_events", lambda _: {})
            task_runner.finalize(ti, state, context, log, error)
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    before = (list(logging.getLogger().handlers), logging.getLogger().level)
    yield run
    structlog.reset_defaults()
    logging.getLogger().handlers[:], logging.getLogger().level = before


def outside_of_groups(lines: list[dict[str, Any]]) -> list[str]:
    """The lines that Airflow's page shows unfolded, as it reads the marks of groups."""
    depth, shown = 0, []
    for line in lines:
        if "::group::" in line["event"]:
            depth += 1
        elif "::endgroup::" in line["event"]:
            depth = max(0, depth - 1)
        elif depth == 0:
            shown.append(line["event"])
    return shown


@pytest.mark.parametrize("state", [TaskInstanceState.FAILED, TaskInstanceState.UP_FOR_RETRY])
@pytest.mark.parametrize(
    ("error", "zh", "en"),
    [
        (DEAD, "部门系统 192.0.2.7:2222 无法连接:连接被拒绝。", str(DEAD)),
        (
            FeedError("There is no header.", feed="hrss/wage_records", file="a.csv", advice="ask for it again."),
            "到达的内容不符合合同",
            "[feed hrss/wage_records, file a.csv] There is no header. What to do: ask for it again.",
        ),
        (
            LedgerError("The warehouse at 192.0.2.8:5432 does not answer: connection refused.", cause="warehouse_down"),
            "数据仓库",
            "The warehouse at 192.0.2.8:5432 does not answer: connection refused.",
        ),
    ],
)
def test_the_last_line_is_the_cause(log_of: Any, state: TaskInstanceState, error: Any, zh: str, en: str) -> None:
    last = outside_of_groups(log_of("land", failing(error), state))[-1]
    assert zh in last
    assert last.endswith(en)
    assert "\n" not in last


def test_the_last_line_quotes_no_library(log_of: Any) -> None:
    last = outside_of_groups(log_of("load", failing(ValueError("331002199001011234")), TaskInstanceState.FAILED))[-1]
    assert "331002" not in last
    assert "ValueError" in last


@pytest.mark.parametrize("error", [AirflowTaskTimeout("331002"), SystemExit(3), KeyError("331002")])
def test_what_does_not_come_from_us_is_said_by_its_kind(error: BaseException) -> None:
    said = tasks.cause_in_words(error)
    assert "|" in said
    assert "331002" not in said


def test_every_task_ends_its_log_so() -> None:
    for dag in DagBag(Settings.load().root / "dags").dags.values():
        for task in dag.tasks:
            assert tasks.say_cause in task.on_failure_callback, (dag.dag_id, task.task_id)
            assert tasks.say_cause in task.on_retry_callback, (dag.dag_id, task.task_id)
