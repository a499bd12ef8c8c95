"""A model has changed when its own text has, or that of a macro of the project on its way."""

from __future__ import annotations

from typing import Any

import pytest

from threegaps.marts.manifest import Manifest

OUTER, INNER, FOREIGN, UNUSED = "macro.p.outer", "macro.p.inner", "macro.dbt.foreign", "macro.p.unused"


def checksum(*, sql: str = "select 1", **texts: str) -> str:
    """The checksum of a model that uses `outer`, which uses `inner` and, as `inner` does, `foreign` and itself."""

    def macro(unique_id: str, uses: list[str]) -> dict[str, Any]:
        _, package, name = unique_id.split(".")
        return {"package_name": package, "macro_sql": texts.get(name, name), "depends_on": {"macros": uses}}

    node = {
        "name": "ind_x",
        "resource_type": "model",
        "checksum": {"checksum": sql},
        "depends_on": {"macros": [OUTER]},
    }
    macros = {
        OUTER: macro(OUTER, [INNER, FOREIGN]),
        INNER: macro(INNER, [INNER, FOREIGN]),
        FOREIGN: macro(FOREIGN, []),
        UNUSED: macro(UNUSED, []),
    }
    raw = {"metadata": {"project_name": "p"}, "nodes": {"model.p.ind_x": node}, "macros": macros}
    return Manifest(raw).checksums["ind_x"][1]


@pytest.mark.parametrize("changed", [{"sql": "select 2"}, {"outer": "anew"}, {"inner": "anew"}])
def test_what_a_model_is_made_of_changes_it(changed: dict[str, str]) -> None:
    assert checksum(**changed) != checksum()


@pytest.mark.parametrize("changed", [{"foreign": "anew"}, {"unused": "anew"}])
def test_what_it_is_not_made_of_does_not(changed: dict[str, str]) -> None:
    assert checksum(**changed) == checksum()
