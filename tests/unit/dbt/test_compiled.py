"""What dbt makes of the project's macros, compiled without a database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from threegaps.marts.manifest import Manifest

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"


def readers(manifest: dict[str, Any], unique_id: str) -> Iterator[str]:
    """Codes of the indicators that read a model, directly or through models that are no indicators."""
    for child in manifest["child_map"][unique_id]:
        node = manifest["nodes"].get(child, {"resource_type": "other"})
        if node["resource_type"] == "model":
            code = node["config"]["meta"].get("indicator")
            yield from [code] if code else readers(manifest, child)


def compiled(manifest: dict[str, Any], name: str) -> str:
    return str(manifest["nodes"][f"model.threegaps.{name}"]["compiled_code"])


def listed(sql: str) -> list[str]:
    found = re.search(r"indicator_code in \(([^)]*)\)", sql)
    assert found, sql
    return re.findall(r"'([^']*)'", found.group(1))


@pytest.mark.parametrize(
    "name",
    [
        path.stem
        for path in PROJECT.glob("models/intermediate/*.sql")
        if "slices_of_readers()" in path.read_text("utf-8")
    ],
)
def test_an_intermediate_model_serves_the_indicators_that_read_it(manifest: dict[str, Any], name: str) -> None:
    codes = sorted(set(readers(manifest, f"model.threegaps.{name}")))
    assert codes
    assert listed(compiled(manifest, name)) == codes


def test_readers_are_found_through_other_models_and_end_at_indicators(manifest: dict[str, Any]) -> None:
    """M21-1 reads the workforce, which reads the holders; G2-2 and G3-1 read the cells of M21-1 and M14-4."""
    codes = listed(compiled(manifest, "int_holder_level"))
    assert {"G1-2", "M21-1", "M14-4"} <= set(codes)
    assert not {"G2-2", "G3-1"} & set(codes)


@pytest.mark.parametrize(
    ("macro", "users"),
    [
        ("base_cells", {"ind_m01_1", "ind_g2_2"}),
        ("matched_rows", {"ind_m01_1"}),
        ("total_and_parts", {"ind_m01_1"}),
        ("slice_members", set()),
    ],
)
def test_a_changed_macro_changes_the_indicators_made_with_it(
    manifest: dict[str, Any], macro: str, users: set[str]
) -> None:
    """The next build makes them anew. M01-1 is placed by `in_slices`, G2-2 by a join of its own."""
    unique_id = f"macro.threegaps.{macro}"
    macros = manifest["macros"] | {unique_id: manifest["macros"][unique_id] | {"macro_sql": "anew"}}
    before, after = Manifest(manifest).checksums, Manifest(manifest | {"macros": macros}).checksums
    assert {name for name in ("ind_m01_1", "ind_g2_2") if before[name] != after[name]} == users
