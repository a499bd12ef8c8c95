"""The package and the DAG files know feeds and departments from their contracts alone, and name none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from threegaps.contracts.loader import load_contracts
from threegaps.settings import Settings

ROOT = Settings.load().root
CONTRACTS = load_contracts(ROOT / "expectations")
FEEDS = {contract.feed for contract in CONTRACTS}
CONNECTIONS = {contract.connection_id for contract in CONTRACTS} | {contract.pool for contract in CONTRACTS}
NAMES = {contract.department for contract in CONTRACTS} | {contract.name for contract in CONTRACTS}
COLUMNS = {column.name for contract in CONTRACTS for column in contract.columns}
FAULTS_OF_PYDANTIC = {"union_tag_invalid", "union_tag_not_found"}


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """Every string of a module with its line; those of docstrings and the fixed pieces of f-strings too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def named(text: str) -> list[str]:
    """What *text* names of the contracts.

    A department and a feed without its department are called by common words ("certificates"): in a sentence they are
    words, and in a string without a space, such as a key or a path, they are names, unless it is a column's name
    ("industry_code"), or what a library calls something.
    """
    within = [name for name in FEEDS | CONNECTIONS if name in text]
    found = {name for name in within if re.search(rf"(?<![a-z_]){re.escape(name)}(?![a-z_])", text)}
    if text not in COLUMNS | FAULTS_OF_PYDANTIC and not re.search(r"\s", text):
        whole = "_" + re.sub(r"[^a-z]+", "_", unquote(text).lower()) + "_"
        found |= {name for name in NAMES if f"_{name}_" in whole}
    return sorted(found)


def test_no_feed_and_no_department_is_named() -> None:
    paths = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "dags").rglob("*.py")]
    assert len(paths) > 200
    found = {
        f"{path.relative_to(ROOT)}:{line}": names
        for path in paths
        for line, text in texts_of(path.read_text(encoding="utf-8"))
        if (names := named(text))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("feed == 'hrss/wage_records'", ["hrss", "hrss/wage_records", "wage_records"]),
        ("help='The feed, e.g. hrss/wage_records.'", ["hrss/wage_records"]),
        ("known['finance']", ["finance"]),
        ("f'stg_hrss__{name}'", ["hrss"]),
        ("'sftp://sandbox/?key_file=%2Frun%2Fhrss_sftp_key'", ["hrss"]),
        ("'read by hrss_database'", ["hrss_database"]),
        ("'a file of certificates of the connection'", []),
        ("'certificates'", ["certificates"]),
        ("'recertificates'", []),
        ("'industry_code'", []),
        ("'industry_codes'", ["industry"]),
    ],
)
def test_a_name_is_told_from_a_word(source: str, names: list[str]) -> None:
    assert [name for _, text in texts_of(source) for name in named(text)] == names
