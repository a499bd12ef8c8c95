"""The dbt project keeps the rules of structure, and what may break one is declared with its reason."""

from __future__ import annotations

import copy
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.dbt import rules
from tests.unit.dbt.rules import RULES, Project, Rule

EXCEPTIONS: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "exceptions.yml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_is_kept_but_for_what_is_declared(manifest: dict[str, Any], rule: Rule) -> None:
    excepted = EXCEPTIONS.get(rule.__name__, {})
    found = sorted(set(rule(Project(manifest))))
    undeclared = [one for one in found if not any(fnmatchcase(one, pattern) for pattern in excepted)]
    assert undeclared == [], rule.__doc__
    assert [pattern for pattern in excepted if not any(fnmatchcase(one, pattern) for one in found)] == []


def test_each_exception_is_of_a_rule_and_has_its_reason() -> None:
    assert EXCEPTIONS.keys() <= {rule.__name__ for rule in RULES}
    assert all(len(reason) > 20 for excepted in EXCEPTIONS.values() for reason in excepted.values())


def spoilt(manifest: dict[str, Any], model: str, **changed: Any) -> Project:
    """The project with one model changed: its text, its folder, what it reads."""
    content = copy.copy(manifest)
    content["nodes"] = dict(manifest["nodes"])
    unique_id = f"model.threegaps.{model}"
    content["nodes"][unique_id] = manifest["nodes"][unique_id] | changed
    return Project(content)


READS_STAGING = {"nodes": ["model.threegaps.stg_hrss__certificates", "model.threegaps.int_affected_slice"]}


@pytest.mark.parametrize(
    ("rule", "changed", "finding"),
    [
        (rules.layers, {"depends_on": READS_STAGING}, "ind_m07_1 reads stg_hrss__certificates"),
        (rules.layers, {"depends_on": {"nodes": ["source.threegaps.ops.batch"]}}, "ind_m07_1 reads batch"),
        (rules.root_models, {"depends_on": {"nodes": []}}, "ind_m07_1"),
        (rules.hard_coded_references, {"raw_code": "select * from core.fct_wage"}, "ind_m07_1"),
        (rules.undocumented, {"description": ""}, "ind_m07_1"),
        (rules.public_is_what_is_served, {"access": "public"}, "ind_m07_1"),
        (rules.served_without_exposure, {"config": {"meta": {"served": True}}}, "ind_m07_1"),
        (rules.names, {"name": "m07_1"}, "m07_1"),
    ],
)
def test_a_rule_finds_what_breaks_it(
    manifest: dict[str, Any], rule: Rule, changed: dict[str, Any], finding: str
) -> None:
    assert finding not in set(rule(Project(manifest)))
    assert finding in set(rule(spoilt(manifest, "ind_m07_1", **changed)))


def test_a_column_that_its_last_reader_leaves_is_found(manifest: dict[str, Any]) -> None:
    unread = "dim_affected_enterprise.valid_until"
    assert unread not in set(rules.columns_that_nothing_reads(Project(manifest)))
    left = spoilt(manifest, "ind_m01_5", raw_code="select uscc, valid_from from affected -- valid_until")
    assert unread in set(rules.columns_that_nothing_reads(left))


def test_a_model_whose_key_loses_its_test_is_found(manifest: dict[str, Any]) -> None:
    tested = next(
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "key"
    )
    content = manifest | {"nodes": {name: node for name, node in manifest["nodes"].items() if node is not tested}}
    name = tested["attached_node"].split(".")[-1]
    assert name not in set(rules.missing_key_tests(Project(manifest)))
    assert name in set(rules.missing_key_tests(Project(content)))
