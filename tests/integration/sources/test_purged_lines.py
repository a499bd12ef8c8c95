"""The log lines that go with a landed object: those of its own attempts, where every delivery has the same name."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sources.conftest import SmallFeed
from tests.integration.sources.scripted_gateway import page_of, rows, serving
from tests.integration.sources.small_contract import FEED, FULL_LIST, http_source
from threegaps import feed_run
from threegaps.batch.row_rules import RowRules
from threegaps.errors import FeedError

pytestmark = pytest.mark.integration

NAME = "test.rows.getdata.jsonl"


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Write what is logged to *path*, and how it ended, as a task does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("threegaps")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except FeedError as error:
        logger.error("Task failed: %s", error)  # as Airflow says it
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()


def test_lines_of_another_delivery_stay(feed: SmallFeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.comes_by(http_source(is_window=False), FULL_LIST)
    logs, real = tmp_path / "logs", RowRules.judge
    breaks: list[bool] = []

    def judge(self: RowRules, *arguments: Any, **named: Any) -> Any:
        if breaks.pop(0):
            raise ValueError("something of the rows")
        return real(self, *arguments, **named)

    monkeypatch.setattr(RowRules, "judge", judge)
    with serving(lambda _, content: {"total": 3, "rows": page_of(rows(3), content)}) as gateway:
        feed.at(gateway)
        with logged_to(logs / "june" / "land.log"):
            feed_run.land(FEED, "2026-06")
    with serving(lambda _, content: {"total": 4, "rows": page_of(rows(4), content)}) as gateway:
        feed.at(gateway)
        with logged_to(logs / "july" / "land.log"):
            feed_run.land(FEED, "2026-07")
    breaks[:] = [True]
    with logged_to(logs / "june" / "load.log"):
        feed_run.load(FEED, "2026-06")
    # One attempt that judges both: the first is loaded, the second is not.
    breaks[:] = [False, True]
    with logged_to(logs / "july" / "load.log"):
        feed_run.load(FEED, "2026-07")
    before = {path: path.read_text(encoding="utf-8").splitlines() for path in sorted(logs.rglob("*.log"))}
    assert [sum(NAME in line for line in lines) for lines in before.values()] == [1, 1, 1, 1]

    (number,) = feed.ask("select landed_object_id from ops.landed_object where delivery = '2026-06'")[0]
    done = feed_run.purge(number, purged_by="the officer", reason="order 7", task_logs=[logs], own_logs=[])
    after = {path: path.read_text(encoding="utf-8").splitlines() for path in before}
    gone = {path.relative_to(logs).as_posix(): [x for x in before[path] if x not in after[path]] for path in before}
    assert gone["july/land.log"] == []
    assert all("2026-06: batch 2" in line or "--batch 2" in line for line in gone["july/load.log"])
    assert any("Task failed" in line for line in after[logs / "july" / "load.log"])
    assert any("Task failed" in line for line in gone["june/load.log"])
    assert NAME not in "".join(after[logs / "june" / "land.log"] + after[logs / "june" / "load.log"])
    assert done.log_lines == sum(map(len, gone.values())) > len(gone)
