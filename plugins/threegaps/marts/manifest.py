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

REACH_KINDS = frozenset({"same", "shift", "window", "all_later"})


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one input of an indicator reaches.

    Args:
        first_month: Months from the touched one to the first affected one; negative is earlier.
        last_month: Months from the touched one to the last affected one; None is every later period.
        is_everywhere: A touch in one county may matter in any.
    """

    first_month: int
    last_month: int | None
    is_everywhere: bool

    @classmethod
    def of(cls, declared: Mapping[str, Any], *, model: str) -> Reach:
        """Read one entry of ``meta.reach``.

        Raises:
            BuildError: The declaration makes no sense.
        """
        kind = declared.get("kind")
        months = declared.get("months", [0, 0])
        if (
            kind not in REACH_KINDS
            or len(months) != 2
            or not all(isinstance(month, int) for month in months)
            or months[0] > months[1]
            or declared.get("areas", "same") not in {"same", "all"}
        ):
            raise BuildError(
                f"Model {model} declares a reach that makes no sense: {dict(declared)}.",
                advice="write {kind: same|shift|window|all_later, months: [earliest, latest], areas: same|all}.",
            )
        return cls(
            first_month=int(months[0]),
            last_month=None if kind == "all_later" else int(months[1]),
            is_everywhere=declared.get("areas", "same") == "all",
        )


@dataclass(frozen=True, slots=True)
class IndicatorModel:
    """The slice model of one indicator; *reach* by feed, seed or ``as_of``, None when it declares nothing."""

    code: str
    name: str
    unique_id: str
    reach: Mapping[str, Reach] | None


@dataclass(frozen=True, slots=True)
class ServedColumn:
    """A column of a served table, its type as PostgreSQL takes it and its comment.

    Args:
        cell: Indicator, breakdown and breakdown value that a wide mart's column shows.
    """

    name: str
    data_type: str
    comment: str
    cell: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class ServedTable:
    """A model that readers are served, with what the serving side needs to know of it.

    Args:
        row_policy: ``none`` (every reader sees every row), ``audience`` (public rows, and the own county's),
            ``own`` (the own county's only).
        is_synthetic_in_sandbox: Its figures are synthetic where the departments are.
        withdrawn: Columns that it once had and whose content may no longer be read, in the past either.
    """

    name: str
    source_schema: str
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
        """Indicator models by code."""
        found = []
        for unique_id, node in self.nodes.items():
            meta = _meta(node)
            if "indicator" not in meta:
                continue
            declared = meta.get("reach")
            reach = (
                None
                if declared is None
                else {source: Reach.of(entry, model=node["name"]) for source, entry in declared.items()}
            )
            found.append(IndicatorModel(str(meta["indicator"]), node["name"], unique_id, reach))
        return tuple(sorted(found, key=lambda indicator: indicator.code))

    @cached_property
    def served(self) -> tuple[ServedTable, ...]:
        """Served tables by name.

        Raises:
            BuildError: A served model has no key, or a column without a type.
        """
        tables = [_served_table(node) for node in self.nodes.values() if _meta(node).get("served")]
        return tuple(sorted(tables, key=lambda table: table.name))

    @cached_property
    def checksums(self) -> dict[str, tuple[str, str]]:
        """For each model and seed its kind and a checksum of its text and of the project's macros that it uses."""
        return {node["name"]: (str(node["resource_type"]), self._checksum(node)) for node in self.nodes.values()}

    def is_read(self, feed: str) -> bool:
        """Whether any indicator rests on *feed*; where one does not say on what it rests, any may."""
        return any(indicator.reach is None or feed in indicator.reach for indicator in self.indicators)

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


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = node.get("config", {}).get("meta") or node.get("meta") or {}
    return meta


def _cell(meta: Mapping[str, Any]) -> tuple[str, str, str] | None:
    if "indicator_code" not in meta:
        return None
    return str(meta["indicator_code"]), str(meta["breakdown"]), str(meta["breakdown_value"])


def _served_table(node: Mapping[str, Any]) -> ServedTable:
    meta = _meta(node)
    columns = tuple(
        ServedColumn(
            str(column["name"]),
            str(column.get("data_type") or ""),
            str(column.get("description") or ""),
            _cell(_meta(column)),
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
    return ServedTable(
        name=str(node["name"]),
        source_schema=str(node["schema"]),
        comment=str(node.get("description") or ""),
        key=key,
        indexes=tuple(tuple(columns) for columns in meta.get("indexes") or ()),
        row_policy=str(policy),
        is_synthetic_in_sandbox=bool(meta.get("synthetic_in_sandbox", "period_start" in names)),
        columns=columns,
        withdrawn=withdrawn,
    )
