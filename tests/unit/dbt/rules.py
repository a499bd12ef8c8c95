"""Rules of structure for the dbt project, asked of its manifest: those of dbt-project-evaluator that concern us.

Each rule yields what breaks it, by name. What may break it all the same stands in exceptions.yml with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from threegaps.marts.reach import meta_of

Node = dict[str, Any]
Rule = Callable[["Project"], Iterable[str]]

MOST_LEAVES = 3
MOST_PARENTS = 7
MOST_CHAINED_VIEWS = 5
# What a model of each layer may read; staging reads its source, and only facts read staging.
MAY_READ = {
    "staging": frozenset({"source"}),
    "core": frozenset({"seed", "staging", "core"}),
    "intermediate": frozenset({"seed", "core", "intermediate"}),
    "marts": frozenset({"seed", "core", "intermediate", "marts"}),
    "ops": frozenset({"source", "seed", "core"}),
}
NAMES = {
    "staging": re.compile(r"stg_[a-z]+(?:_[a-z]+)*__\w+"),
    "core": re.compile(r"(fct|dim)_\w+"),
    "intermediate": re.compile(r"int_\w+"),
    "marts": re.compile(r"(ind|dim|indicator|action|three)_\w+"),
    "ops": re.compile(r"\w+_(health|quality)"),
}
_HARD_CODED = re.compile(
    r"\b(?:from|join)\s+\"?(?:ops|raw|raw_history|quarantine|staging|core|build|marts|history|exact)\"?\.\"?\w+", re.I
)
_WORD = re.compile(r"\w+")
_COMMENTS = re.compile(r"\{#.*?#\}|--[^\n]*", re.S)


class Project:
    """The manifest's models, seeds, sources, exposures and tests, with parents and children by unique id."""

    def __init__(self, manifest: Node) -> None:
        self.nodes: dict[str, Node] = manifest["nodes"] | manifest["sources"]
        self.exposures: list[Node] = list(manifest["exposures"].values())
        self.models = [node for node in self.nodes.values() if node["resource_type"] == "model"]
        self.sources: list[Node] = list(manifest["sources"].values())
        self._macros: dict[str, Node] = manifest["macros"]
        self._tests: dict[str, list[Node]] = {}
        self._children: dict[str, list[Node]] = {}
        for node in manifest["nodes"].values():
            if node["resource_type"] == "test" and node.get("attached_node"):
                self._tests.setdefault(node["attached_node"], []).append(node)
            if node["resource_type"] == "model":
                for parent in self.parents(node):
                    self._children.setdefault(parent["unique_id"], []).append(node)

    def parents(self, node: Node) -> list[Node]:
        """What a model or an exposure reads."""
        return [self.nodes[one] for one in node["depends_on"]["nodes"] if one in self.nodes]

    def children(self, node: Node) -> list[Node]:
        """The models that read a node."""
        return self._children.get(node["unique_id"], [])

    def text(self, node: Node) -> str:
        """The SQL of a model without its comments, and that of the macros that it calls by name."""
        macros = [self._macros[one]["macro_sql"] for one in node["depends_on"]["macros"] if one in self._macros]
        return _COMMENTS.sub("", "\n".join([node["raw_code"], *macros]))

    def tests(self, node: Node) -> list[Node]:
        """The data tests of a node."""
        return self._tests.get(node["unique_id"], [])


def layer(node: Node) -> str:
    """The folder of a model below models/, or what else a node is."""
    return str(node["fqn"][1]) if node["resource_type"] == "model" else str(node["resource_type"])


def is_indicator(node: Node) -> bool:
    """Whether a model is the slice of an indicator."""
    return "indicator" in meta_of(node)


def layers(project: Project) -> Iterator[str]:
    """A model reads what its layer may read."""
    for model in project.models:
        for parent in project.parents(model):
            if layer(parent) not in MAY_READ[layer(model)]:
                yield f"{model['name']} reads {parent['name']}"


def persons_meet_in_intermediate(project: Project) -> Iterator[str]:
    """What is per person is made in intermediate models: an indicator reads one relation by person at most."""
    for model in project.models:
        by_person = [parent["name"] for parent in project.parents(model) if _is_by_person(project, parent)]
        if is_indicator(model) and len(by_person) > 1:
            yield f"{model['name']} reads {' and '.join(sorted(by_person))}"


def multiple_sources_joined(project: Project) -> Iterator[str]:
    """A model reads one source at most."""
    for model in project.models:
        if sum(parent["resource_type"] == "source" for parent in project.parents(model)) > 1:
            yield model["name"]


def source_fanout(project: Project) -> Iterator[str]:
    """A source is read by one model."""
    for source in project.sources:
        if len(project.children(source)) > 1:
            yield source["name"]


def unused_sources(project: Project) -> Iterator[str]:
    """A source is read."""
    exposed = {one for exposure in project.exposures for one in exposure["depends_on"]["nodes"]}
    for source in project.sources:
        if not project.children(source) and source["unique_id"] not in exposed:
            yield source["name"]


def duplicate_sources(project: Project) -> Iterator[str]:
    """A relation is one source."""
    relations = [source["relation_name"] for source in project.sources]
    yield from sorted({relation for relation in relations if relations.count(relation) > 1})


def root_models(project: Project) -> Iterator[str]:
    """A model reads something."""
    for model in project.models:
        if not project.parents(model):
            yield model["name"]


def model_fanout(project: Project) -> Iterator[str]:
    """No more than a few models that nothing reads hang on one model."""
    for model in project.models:
        leaves = [child for child in project.children(model) if not project.children(child)]
        if len(leaves) >= MOST_LEAVES:
            yield model["name"]


def too_many_joins(project: Project) -> Iterator[str]:
    """A model does not read too many others."""
    for model in project.models:
        if len(project.parents(model)) >= MOST_PARENTS:
            yield model["name"]


def rejoining_of_upstream_concepts(project: Project) -> Iterator[str]:
    """A model does not read both another one and what stands between them alone."""
    for parent in project.nodes.values():
        readers = {child["unique_id"] for child in project.children(parent)}
        for between in project.children(parent):
            for child in project.children(between):
                if child["unique_id"] in readers and len(project.children(between)) == 1:
                    yield f"{child['name']} reads {parent['name']} and {between['name']}"


def hard_coded_references(project: Project) -> Iterator[str]:
    """A relation is named by ref or source."""
    for model in project.models:
        if _HARD_CODED.search(_COMMENTS.sub("", model["raw_code"])):
            yield model["name"]


def chained_views(project: Project) -> Iterator[str]:
    """No long chain of models is computed anew at each reading."""

    def length(node: Node) -> int:
        if node["resource_type"] != "model" or node["config"]["materialized"] not in {"view", "ephemeral"}:
            return 0
        return 1 + max((length(parent) for parent in project.parents(node)), default=0)

    for model in project.models:
        if max((length(parent) for parent in project.parents(model)), default=0) > MOST_CHAINED_VIEWS:
            yield model["name"]


def undocumented(project: Project) -> Iterator[str]:
    """Models, sources and their tables are described, and each column of a contract."""
    for node in (*project.models, *project.sources):
        if not node["description"] or (node["resource_type"] == "source" and not node["source_description"]):
            yield node["name"]
        for column in node["columns"].values():
            if not column["description"]:
                yield f"{node['name']}.{column['name']}"


def public_without_contract(project: Project) -> Iterator[str]:
    """A public model has an enforced contract with its key among the constraints."""
    for model in project.models:
        if model["access"] == "public" and not (model["config"]["contract"]["enforced"] and _primary_key(model)):
            yield model["name"]


def public_is_what_is_served(project: Project) -> Iterator[str]:
    """What is served is public, nothing else, and its constraint is the key that it is served by."""
    for model in project.models:
        meta = meta_of(model)
        if (model["access"] == "public") != bool(meta.get("served")):
            yield model["name"]
        elif meta.get("served") and _primary_key(model) != tuple(meta["key"]):
            yield f"{model['name']}: another key"


def exposures_on_private_models(project: Project) -> Iterator[str]:
    """An exposure reads what is public."""
    for exposure in project.exposures:
        for parent in project.parents(exposure):
            if parent["resource_type"] != "model" or parent["access"] != "public":
                yield f"{exposure['name']} reads {parent['name']}"


def served_without_exposure(project: Project) -> Iterator[str]:
    """What is served is read by somebody whom an exposure names."""
    exposed = {one for exposure in project.exposures for one in exposure["depends_on"]["nodes"]}
    for model in project.models:
        if meta_of(model).get("served") and model["unique_id"] not in exposed:
            yield model["name"]


def names(project: Project) -> Iterator[str]:
    """A model is named as its layer is, in the folder of its layer; an indicator by its code."""
    for model in project.models:
        if not NAMES[layer(model)].fullmatch(model["name"]):
            yield model["name"]
        code = meta_of(model).get("indicator")
        if model["name"].startswith("ind_") != (code is not None) or (
            code is not None and model["name"] != f"ind_{code.lower().replace('-', '_')}"
        ):
            yield model["name"]


def sources_stand_with_staging(project: Project) -> Iterator[str]:
    """A source is declared in the folder of the staging that reads it."""
    for source in project.sources:
        if PurePosixPath(source["original_file_path"]).parts[1] != "staging":
            yield source["name"]


def columns_that_nothing_reads(project: Project) -> Iterator[str]:
    """What a fact takes from a feed is named by a model that reads the fact, or is part of its key."""
    for model in project.models:
        if layer(model) != "core" or not any(layer(parent) == "staging" for parent in project.parents(model)):
            continue
        words = {word for child in project.children(model) for word in _WORD.findall(project.text(child))}
        for column in sorted(model["columns"].keys() - words - _key_columns(project, model)):
            yield f"{model['name']}.{column}"


def missing_key_tests(project: Project) -> Iterator[str]:
    """A model's key is tested: by one test of all its columns, or by the constraint that its table has."""
    for node in (*project.models, *(one for one in project.nodes.values() if one["resource_type"] == "seed")):
        tested: dict[str, set[str]] = {}
        for test in project.tests(node):
            tested.setdefault(test["test_metadata"]["name"], set()).add(test.get("column_name") or "")
        is_tested = "key" in tested or tested.get("unique", set()) & tested.get("not_null", set())
        is_table = node["config"]["materialized"] in {"table", "incremental"}
        if not is_tested and not (is_table and _primary_key(node)):
            yield node["name"]


def sources_without_freshness(project: Project) -> Iterator[str]:
    """A source says when it is too old."""
    for source in project.sources:
        if not (source["freshness"] or {}).get("warn_after", {}).get("count"):
            yield source["name"]


def _key_columns(project: Project, node: Node) -> set[str]:
    keys = [test["test_metadata"]["kwargs"] for test in project.tests(node) if test["test_metadata"]["name"] == "key"]
    return {column for key in keys for column in key.get("columns", ())} | set(_primary_key(node))


def _is_by_person(project: Project, node: Node) -> bool:
    return "person_id" in node["columns"] or "person_id" in _key_columns(project, node)


def _primary_key(model: Node) -> tuple[str, ...]:
    """The columns of a model's primary key, by the constraints of its contract."""
    keys = [tuple(one["columns"]) for one in model.get("constraints", ()) if one["type"] == "primary_key"]
    return keys[0] if keys else ()


RULES: tuple[Rule, ...] = (
    layers,
    persons_meet_in_intermediate,
    multiple_sources_joined,
    source_fanout,
    unused_sources,
    duplicate_sources,
    root_models,
    model_fanout,
    too_many_joins,
    rejoining_of_upstream_concepts,
    hard_coded_references,
    chained_views,
    undocumented,
    public_without_contract,
    public_is_what_is_served,
    exposures_on_private_models,
    served_without_exposure,
    names,
    sources_stand_with_staging,
    columns_that_nothing_reads,
    missing_key_tests,
    sources_without_freshness,
)
