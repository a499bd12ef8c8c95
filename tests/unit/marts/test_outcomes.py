"""dbt's run results, summed up by action."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from threegaps.marts.dbt_runner import outcomes


def result(name: str, folder: list[str], status: str, *, kind: str = "model", message: str = "") -> Any:
    node = {"name": name, "resource_type": kind, "fqn": ["threegaps", *folder, name]}
    return SimpleNamespace(node=SimpleNamespace(to_dict=lambda: node), status=status, message=message)


def test_each_action_has_its_outcome_and_plain_messages() -> None:
    error = "Database Error\n  division by zero\n  DETAIL: Key (person_id)=(5) exists\n  compiled code at /x/y.sql"
    found = outcomes(
        [
            result("ind_a", ["marts", "action_1"], "success"),
            result("ind_b", ["marts", "action_2"], "error", message=error),
            result("unique_b", ["marts", "action_2"], "skipped", kind="test"),
            result("ind_c", ["marts", "three_gaps"], "skipped"),
            result("dim_area", ["core"], "success"),
        ]
    )
    assert [(one.action, one.status, one.models, one.failures) for one in found] == [
        ("action_1", "passed", 1, 0),
        ("action_2", "failed", 1, 1),
        ("core", "passed", 1, 0),
        ("three_gaps", "skipped", 1, 0),
    ]
    assert found[1].messages == ("ind_b: Database Error division by zero",)
