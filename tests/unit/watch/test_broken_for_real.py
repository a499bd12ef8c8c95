"""Every kind of incident is broken for real by a test, not by rows that say what a broken thing would leave."""

from __future__ import annotations

import ast
import functools

import pytest

from threegaps.settings import Settings
from threegaps.watch.kinds import KINDS

TOLD = "integration/faults/test_told.py"
SERVICES = "end_to_end/test_watch.py"
BROKEN_BY = {
    "warehouse_down": (SERVICES, "test_a_hung_postgresql_is_told_past_its_outbox"),
    "airflow_down": (SERVICES, "test_what_hangs_and_a_disk_that_fills_are_each_told_once_and_their_end_once"),
    "disk_filling": (SERVICES, "test_what_hangs_and_a_disk_that_fills_are_each_told_once_and_their_end_once"),
    "feed_unreachable": (TOLD, "test_three_broken_connections"),
    "feed_stopped": (TOLD, "test_a_batch_that_its_refused_share_stops"),
    "feed_failing": (TOLD, "test_a_feed_that_fails_for_a_reason_of_ours"),
    "feed_late": (TOLD, "test_a_late_feed"),
    "feed_incomplete": (TOLD, "test_a_delivery_that_came_in_part"),
    "feed_shrinking": (TOLD, "test_a_shrinking_feed"),
    "refused_share_rising": (TOLD, "test_a_refused_share_that_rises"),
    "build_failed": (TOLD, "test_a_failed_build"),
    "release_held": (TOLD, "test_a_release_that_a_check_holds"),
    "work_waiting": (TOLD, "test_loaded_work_that_nobody_takes_up"),
}


@functools.cache
def functions(file: str) -> dict[str, str]:
    """The tests of a file with their text."""
    text = (Settings.load().root / "tests" / file).read_text(encoding="utf-8")
    return {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }


def test_every_kind_is_broken_for_real() -> None:
    assert BROKEN_BY.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", BROKEN_BY)
def test_a_test_breaks_it_and_names_it(kind: str) -> None:
    file, name = BROKEN_BY[kind]
    assert kind in functions(file)[name]
