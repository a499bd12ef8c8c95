"""What the dbt project says of itself: indicators and how far their inputs reach, served tables, checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from threegaps.errors import BuildError
from threegaps.marts.reach import Reach, composed, meta_of

SERVED_SCHEMAS = ("marts", "exact")


@dataclass(frozen=True, slots=True)
class IndicatorModel:
    """The slice model of one indicator; *reach* by feed, and by ``as_of``."""

    code: str
    name: str
    unique_id: str
    reach: Mapping[str, Reach]


@dataclass(frozen=True, slots=True)
class ServedColumn:
    """A column of a served table, its type as PostgreSQL takes it and its comment.

    Args:
        cell: Indicator, breakdown and breakdown value that a wide mart's column shows.
        is_status: It shows the status of that cell, not a figure.
    """

    name: str
    data_type: str
    comment: str
    cell: tuple[str, str, str] | None = None
    is_status: bool = False


@dataclass(frozen=True, slots=True)
class ServedTable:
    """A model that readers are served, with what the serving side needs to know of it.

    Args:
        schema: ``marts``, or ``exact`` for figures before disclosure.
        source_name: The model's relation in *source_schema*.
        row_policy: ``none`` (every reader sees every row), ``audience`` (public rows, and the own county's),
            ``own`` (the own county's only).
        is_synthetic_in_sandbox: Its figures are synthetic where the departments are.
        withdrawn: Columns that it once had and whose content may no longer be read, in the past either.
    """

    schema: str
    name: str
    source_schema: str
    source_name: str
    comment: str
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...]
    row_policy: str
    is_synthetic_in_sandbox: bool
    columns: tuple[ServedColumn, ...]
    withdrawn: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Manifest:
    """dbt's ``manifest.json``, as far as building and serving depend on it."""

    raw: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read the file that ``dbt parse`` wrote."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def nodes(self) -> dict[str, Mapping[str, Any]]:
        """Models and seeds by unique id."""
        return {
            unique_id: node
            for unique_id, node in self.raw["nodes"].items()
            if node["resource_type"] in {"model", "seed"}
        }

    @cached_property
    def indicators(self) -> tuple[IndicatorModel, ...]:
        """Indicator models by code.

        Raises:
            BuildError: See `threegaps.marts.reach.composed`.
        """
        found = [
            IndicatorModel(
                str(meta_of(self.nodes[unique_id])["indicator"]), self.nodes[unique_id]["name"], unique_id, reach
            )
            for unique_id, reach in composed(self.raw).items()
        ]
        return tuple(sorted(found, key=lambda indicator: indicator.code))

    @cached_property
    def served(self) -> tuple[ServedTable, ...]:
        """Served tables by name.

        Raises:
            BuildError: A served model has no key, or a column without a type.
        """
        tables = [_served_table(node) for node in self.nodes.values() if meta_of(node).get("served")]
        return tuple(sorted(tables, key=lambda table: (table.schema != "marts", table.name)))

    @cached_property
    def checksums(self) -> dict[str, tuple[str, str]]:
        """For each model and seed its kind and a checksum of its text and of the project's macros that it uses."""
        return {node["name"]: (str(node["resource_type"]), self._checksum(node)) for node in self.nodes.values()}

    def is_read(self, feed: str) -> bool:
        """Whether any indicator rests on *feed*."""
        return any(feed in indicator.reach for indicator in self.indicators)

    def indicators_fed_by(self, names: Iterable[str]) -> frozenset[str]:
        """Codes of the indicators whose model is among *names* or stands downstream of one."""
        by_name = {node["name"]: unique_id for unique_id, node in self.nodes.items()}
        queue = [by_name[name] for name in names if name in by_name]
        reached: set[str] = set()
        children: Mapping[str, list[str]] = self.raw.get("child_map", {})
        while queue:
            unique_id = queue.pop()
            if unique_id not in reached:
                reached.add(unique_id)
                queue += children.get(unique_id, [])
        return frozenset(indicator.code for indicator in self.indicators if indicator.unique_id in reached)

    def _checksum(self, node: Mapping[str, Any]) -> str:
        digest = hashlib.sha256(str(node["checksum"]["checksum"]).encode())
        for unique_id in sorted(self._project_macros(node)):
            digest.update(str(self.raw["macros"][unique_id]["macro_sql"]).encode())
        return digest.hexdigest()

    def _project_macros(self, node: Mapping[str, Any]) -> set[str]:
        project = self.raw["metadata"].get("project_name")
        macros: Mapping[str, Any] = self.raw.get("macros", {})
        found: set[str] = set()
        queue = list(node.get("depends_on", {}).get("macros", []))
        while queue:
            unique_id = queue.pop()
            macro = macros.get(unique_id)
            if unique_id in found or macro is None or macro["package_name"] != project:
                continue
            found.add(unique_id)
            queue += macro.get("depends_on", {}).get("macros", [])
        return found


def action_of(node: Mapping[str, Any]) -> str:
    """The part of the project that a node belongs to: an action's folder, or the layer for what is shared."""
    fqn = [str(part) for part in node.get("fqn", [])][1:]
    if len(fqn) > 2 and fqn[0] == "marts":
        return fqn[1]
    return fqn[0] if len(fqn) > 1 else "shared"


def _cell(meta: Mapping[str, Any]) -> tuple[str, str, str] | None:
    if "indicator_code" not in meta:
        return None
    return str(meta["indicator_code"]), str(meta["breakdown"]), str(meta["breakdown_value"])


def _served_table(node: Mapping[str, Any]) -> ServedTable:
    meta = meta_of(node)
    columns = tuple(
        ServedColumn(
            str(column["name"]),
            str(column.get("data_type") or ""),
            str(column.get("description") or ""),
            _cell(meta_of(column)),
            meta_of(column).get("shows") == "status",
        )
        for column in node["columns"].values()
    )
    key = tuple(meta.get("key") or ())
    names = {column.name for column in columns}
    if not key or not set(key) <= names or not all(column.data_type for column in columns):
        raise BuildError(
            f"Model {node['name']} is served but has no complete contract.",
            advice="give it meta.key and a data_type for each column.",
        )
    withdrawn = tuple(meta.get("withdrawn") or ())
    if contradicted := sorted(names & set(withdrawn)):
        raise BuildError(
            f"Model {node['name']} has a column that it says is withdrawn: {', '.join(contradicted)}.",
            advice="leave it out of the model, or out of meta.withdrawn.",
        )
    policy = meta.get("row_policy", "county")
    if policy not in {"none", "county"}:
        raise BuildError(f"Model {node['name']} has an unknown row_policy: {policy}.", advice="none or county.")
    if policy == "county":
        # What says neither in its rows nor as a whole that it is public is for its own county only.
        policy = "audience" if "audience" in names else "none" if meta.get("audience") == "public" else "own"
    elif meta.get("audience") == "internal":
        policy = "own"
    schema, _, name = str(meta.get("served_as") or f"marts.{node['name']}").partition(".")
    if schema not in SERVED_SCHEMAS or not name:
        raise BuildError(
            f"Model {node['name']} is served as {schema}.{name}.",
            advice=f"meta.served_as is a relation in one of {', '.join(SERVED_SCHEMAS)}.",
        )
    return ServedTable(
        name=name,
        schema=schema,
        source_name=str(node["name"]),
        source_schema=str(node["schema"]),
        comment=str(node.get("description") or ""),
        key=key,
        indexes=tuple(tuple(columns) for columns in meta.get("indexes") or ()),
        # Before disclosure nothing is public.
        row_policy="own" if schema == "exact" else str(policy),
        is_synthetic_in_sandbox=bool(meta.get("synthetic_in_sandbox", "period_start" in names)),
        columns=columns,
        withdrawn=withdrawn,
    )
