"""The full check of a contract: the standard's own JSON schema and model, then the house's rules.

Too slow for a DAG file, so it runs in `make lint` and in the tests; what the pipeline relies on is checked by the
loader each time.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
from open_data_contract_standard.model import OpenDataContractStandard

from threegaps.contracts import house_rules
from threegaps.contracts.house_rules import has_chinese
from threegaps.contracts.loader import load_own_contract, read_document
from threegaps.contracts.model import Contract
from threegaps.contracts.reading import plain_data
from threegaps.errors import ThreeGapsError


def lint_contract(path: Path) -> list[str]:
    """Everything that is wrong with the contract at *path*, a sentence each; empty when it is right."""
    path = Path(path)
    try:
        document = plain_data(path.read_bytes(), path.name)
    except ThreeGapsError as error:
        return [f"{path.name}: {error}"]
    if problems := standard_problems(document):
        return [f"{path.name}: {problem}" for problem in problems]
    try:
        contract = load_own_contract(path)
    except ThreeGapsError as error:
        return [f"{path.name}: {error}"]
    found = [*_house_rules(contract), *house_rules.problems(read_document(path, path.read_bytes()))]
    return [f"{path.name}: {problem}" for problem in found]


def standard_problems(document: Any) -> list[str]:
    """What the standard's own JSON schema and model have against a document; empty when it is right."""
    problems = [
        f"{'/'.join(map(str, error.absolute_path)) or 'document'}: {error.message}"
        for error in _validator().iter_errors(document)
    ]
    if problems:
        return problems
    try:
        OpenDataContractStandard.model_validate(document)
    except ValueError as error:
        return [str(error)]
    return []


@cache
def _validator() -> Any:
    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft201909Validator(schema)


def _house_rules(contract: Contract) -> list[str]:
    problems: list[str] = []
    for column in contract.columns:
        problems.extend(_column_problems(contract, column.name))
    for rule in (*contract.rules, *contract.batch_rules):
        if not has_chinese(rule.message_zh) or not rule.message_en.strip():
            problems.append(f"rule {rule.rule} lacks a message in Chinese or in English")
    return problems


def _column_problems(contract: Contract, name: str) -> list[str]:
    column = contract.by_name[name]
    problems = []
    if not has_chinese(column.description_zh):
        problems.append(f"column {name}: businessName is not Chinese")
    if not column.description_en.strip():
        problems.append(f"column {name}: description is empty")
    return problems
