"""The expanded form of a contract: a whole document of the standard with every derived rule written out.

Each rule's ``implementation`` is what Great Expectations runs, as it stands: certification runs the same. The frames
that the rules are of are objects of the schema beside the table (`threegaps.rules.frames`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from threegaps.contracts.model import Contract
from threegaps.rules.frames import BATCH_COLUMNS, LINE_COLUMNS, PASSED_COLUMNS
from threegaps.rules.model import TEXT, Rule

_SEVERITIES = {"refuse": "error", "stop": "error", "warn": "warning"}


def expand(contract: Contract) -> dict[str, Any]:
    """The document, as plain data.

    The first object of its schema is the contract's table, as the frame of typed rows: rules stand with their column or
    with the table. Then come the frames of lines, of rows that passed, and of the batch's counters.
    """
    document: dict[str, Any] = plain(contract.written)
    table = document["schema"][0]
    rules = (*contract.rules, *contract.batch_rules)
    by_column, others = _by_column([rule for rule in rules if rule.kind.scope == "row"])
    for column in table["properties"]:
        column["quality"] = [_quality(rule) for rule in by_column.pop(column["name"], [])]
    table["properties"] += [_text_of(column) for column in table["properties"]]
    table["quality"] = [_quality(rule) for rule in others]
    document["schema"] += [
        _frame(contract, "lines", "文件各行", "the lines of a delivery before they have columns", LINE_COLUMNS, rules),
        _frame(
            contract,
            "passed",
            "通过逐行规则的各行",
            "the rows that no rule on rows refuses, in the order in which they are read, typed as in the first object",
            PASSED_COLUMNS,
            rules,
        ),
        _frame(contract, "batch", "整批计数", "one row of counters of the whole batch", BATCH_COLUMNS, rules),
    ]
    return document


def as_yaml(document: Mapping[str, Any]) -> str:
    """The document as a file.

    ``ExpectationConfiguration(**implementation)`` takes each rule of an expanded one, once
    `threegaps.rules.great_expectations_classes` is imported.
    """
    return yaml.dump(plain(document), Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=120)


def _by_column(rules: Iterable[Rule]) -> tuple[dict[str, list[Rule]], list[Rule]]:
    """The rules about one column, by column, and the others."""
    by_column: dict[str, list[Rule]] = {}
    others = []
    for rule in rules:
        column = getattr(rule.arguments, "column", None)
        if column is None:
            others.append(rule)
        else:
            by_column.setdefault(column, []).append(rule)
    return by_column, others


def _quality(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.rule,
        "type": "custom",
        "engine": "greatExpectations",
        "description": rule.message_en,
        "dimension": rule.dimension,
        "severity": _SEVERITIES[rule.action],
        "implementation": rule.configuration,
    }


def _text_of(column: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{column['name']}{TEXT}",
        "businessName": f"{column['businessName']}(文本)",
        "description": f"The text of {column['name']} after the declared normalisations",
        "logicalType": "string",
        "classification": column["classification"],
    }


def _frame(
    contract: Contract,
    name: str,
    label_zh: str,
    description: str,
    columns: Mapping[str, tuple[str, str]],
    rules: Iterable[Rule],
) -> dict[str, Any]:
    scope = {"lines": "line", "passed": "key", "batch": "batch"}[name]
    return {
        "name": f"{contract.name}_{name}",
        "physicalType": "frame",
        "businessName": label_zh,
        "description": description,
        "properties": [
            {"name": column, "businessName": zh, "description": en, "logicalType": "integer"}
            for column, (zh, en) in columns.items()
        ],
        "quality": [_quality(rule) for rule in rules if rule.kind.scope == scope],
    }


def plain(value: Any) -> Any:
    """*value* with days as texts, as JSON has them."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
