"""From an indicator down to the columns of contracts, by what the SQL of the models names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from threegaps.contracts.model import Contract

_MODELS = Path("dbt_project") / "models"
_REFERENCE = re.compile(r"""\bref\(\s*['"]([a-z0-9_]+)['"]\s*\)""")
# dbt takes a model that is named in such a comment for one that is read.
_COMMENT = re.compile(r"--(?! depends_on:)[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
STAGING_PREFIX = "stg_"


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the dbt project: what it reads, and the words of its SQL."""

    name: str
    reads: tuple[str, ...]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What one indicator is made of.

    Args:
        models: Models on the way down, the nearest first, staging left out.
        seeds: Seeds that are read.
        columns: By feed the columns of its contract that the models on the way take.
    """

    models: tuple[str, ...]
    seeds: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


def read_models(root: Path) -> dict[str, Model]:
    """Every model of the dbt project below *root*, by its name."""
    models = {}
    for path in sorted((root / _MODELS).rglob("*.sql")):
        text = _COMMENT.sub(" ", path.read_text(encoding="utf-8"))
        reads = tuple(dict.fromkeys(_REFERENCE.findall(text)))
        models[path.stem] = Model(path.stem, reads, frozenset(_WORD.findall(text)))
    return models


def lineage_of(indicator_model: str, models: Mapping[str, Model], contracts: Iterable[Contract]) -> Lineage:
    """What *indicator_model* is made of.

    Which columns a model takes is read from the words of its SQL, not from a parser: a column of the same name in two
    feeds that one model reads counts for both.

    Args:
        indicator_model: Name of the indicator's model.
        models: All models of the project.
        contracts: All feeds.
    """
    feeds = {_staging_name(contract.feed): contract for contract in contracts}
    way, seeds = _way_down(indicator_model, models)
    columns: dict[str, tuple[str, ...]] = {}
    for name, contract in feeds.items():
        readers = [model for model in way if name in models[model].reads]
        words = frozenset().union(*(models[model].words for model in readers))
        taken = tuple(column.name for column in contract.columns if column.name in words)
        if readers:
            columns[contract.feed] = taken
    return Lineage(tuple(way), tuple(seeds), columns)


def _way_down(start: str, models: Mapping[str, Model]) -> tuple[list[str], list[str]]:
    way, seeds, waiting = [], [], [start]
    while waiting:
        name = waiting.pop(0)
        if name in way or name in seeds:
            continue
        if name not in models:
            seeds.append(name)
        elif not name.startswith(STAGING_PREFIX):
            way.append(name)
            waiting += models[name].reads
    return way, sorted(seeds)


@cache
def _staging_name(feed: str) -> str:
    department, _, name = feed.partition("/")
    return f"{STAGING_PREFIX}{department}__{name}"
