"""All models below the facts in a schema of their own, from SQL that dbt has compiled already: no second build."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

Node = dict[str, Any]


def make_again(
    connection: psycopg.Connection[Any],
    manifest: dict[str, Any],
    target: Path,
    schema: str,
    *,
    given: Iterable[str],
    wanted: Iterable[str],
) -> None:
    """Make in *schema* what lies between *given* and *wanted*; everything else is the warehouse's own.

    Args:
        connection: To a warehouse that was built.
        manifest: Of the dbt project.
        target: dbt's target folder of that build.
        schema: Holds the tables of *given* already.
        given: Models whose rows are there.
        wanted: Models that are asked for; those that they are made of are made too.
    """
    models = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    changed = {f"model.threegaps.{name}" for name in given}
    order = TopologicalSorter(
        {name: [other for other in node["depends_on"]["nodes"] if other in models] for name, node in models.items()}
    )
    needed = _made_of(models, {f"model.threegaps.{name}" for name in wanted})
    for name in order.static_order():
        if name in changed or name not in needed or changed.isdisjoint(models[name]["depends_on"]["nodes"]):
            continue
        node = models[name]
        statement = (target / "compiled" / "threegaps" / node["original_file_path"]).read_text(encoding="utf-8")
        for other in changed:
            statement = statement.replace(_written(models[other]), f'"{schema}"."{models[other]["name"]}"')
        table = sql.Identifier(schema, node["name"])
        connection.execute(sql.SQL("create table {} as\n").format(table) + sql.SQL(statement))
        connection.execute(sql.SQL("analyze {}").format(table))
        changed.add(name)


def _made_of(models: dict[str, Node], wanted: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in models and name not in found:
            found.add(name)
            waiting += models[name]["depends_on"]["nodes"]
    return found


def _written(node: Node) -> str:
    return f'"{node["schema"]}"."{node["name"]}"'
