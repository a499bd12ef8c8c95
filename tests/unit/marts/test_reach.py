"""Reach composed along dbt's graph, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from threegaps.errors import BuildError
from threegaps.marts.reach import SAME, SAME_EVERYWHERE, WHOLE, Reach, composed

LAYERS = {"stg": "staging", "fct": "core", "int": "intermediate", "ind": "marts"}
SHIFT = {"kind": "shift", "months": [-8, 2]}


def reach_of_x(edges: dict[str, tuple[str, ...]], **declared: dict[str, Any]) -> dict[str, Reach]:
    """The reach of the model ind_x in the graph *edges*, by reader; *declared* is `meta.reach` by model.

    A name that begins with a letter and an underscore is the source of the feed of that name: `a_b` is a/b; `*_` is of
    every feed.
    """
    nodes, sources = {}, {}
    for name, parents in edges.items():
        ids = [f"source.p.raw.{one}" if one[1] == "_" else f"model.p.{one}" for one in parents]
        for one in ids:
            if one.startswith("source."):
                sources[one] = {"config": {"meta": {"feed": one.split(".")[-1].replace("_", "/").rstrip("/")}}}
        meta: dict[str, Any] = {"reach": declared[name]} if name in declared else {}
        meta |= {"indicator": "X"} if name.startswith("ind_") else {}
        nodes[f"model.p.{name}"] = {
            "name": name,
            "resource_type": "model",
            "config": {"meta": meta},
            "fqn": ["p", LAYERS[name.split("_")[0]], name],
            "depends_on": {"nodes": ids},
        }
    return composed({"nodes": nodes, "sources": sources})["model.p.ind_x"]


CHAIN = {"stg_b": ("a_b",), "fct_b": ("stg_b",), "int_b": ("fct_b",), "ind_x": ("int_b",)}
PLAIN = {"stg_b": {"kind": "same"}}


@pytest.mark.parametrize(
    ("to_fact", "to_intermediate", "to_indicator", "composed_reach"),
    [
        ({"kind": "same"}, {"kind": "same"}, None, SAME),
        # 8 back, then 3 back; 2 on, then none: the months add up
        ({"kind": "same"}, SHIFT, {"kind": "shift", "months": [-3, 0]}, Reach(-11, 2, False)),
        (SHIFT, SHIFT, SHIFT, Reach(-24, 6, False)),
        # what reaches every later period goes on doing so, from as early as the months say
        ({"kind": "all_later"}, SHIFT, None, Reach(-8, None, False)),
        (SHIFT, {"kind": "all_later"}, {"kind": "same", "areas": "all"}, Reach(-8, None, True)),
        ({"kind": "same", "areas": "all"}, {"kind": "same"}, None, SAME_EVERYWHERE),
        (None, {"kind": "same"}, {"kind": "same"}, WHOLE),
        (SHIFT, None, None, WHOLE),
    ],
)
def test_the_steps_of_a_way_are_composed(
    to_fact: dict[str, Any] | None,
    to_intermediate: dict[str, Any] | None,
    to_indicator: dict[str, Any] | None,
    composed_reach: Reach,
) -> None:
    steps = {"fct_b": ("stg_b", to_fact), "int_b": ("fct_b", to_intermediate), "ind_x": ("int_b", to_indicator)}
    declared = {name: {read: step} for name, (read, step) in steps.items() if step is not None}
    assert reach_of_x(CHAIN, **declared)["a/b"] == composed_reach


def test_several_ways_count_together() -> None:
    """One way reaches 8 months back in the county, the other 3 on in any: -8 to 3, anywhere."""
    edges = CHAIN | {"ind_x": ("int_b", "fct_b")}
    declared = {"fct_b": PLAIN, "int_b": {"fct_b": {"kind": "shift", "months": [-8, 0]}}}
    own = {"fct_b": {"kind": "window", "months": [1, 3], "areas": "all"}}
    assert reach_of_x(edges, **declared, ind_x=own)["a/b"] == Reach(-8, 3, True)
    # the way that declares nothing is the widest of all
    assert reach_of_x(edges, fct_b=PLAIN, ind_x=own)["a/b"] == WHOLE


def test_each_feed_has_its_reach_and_only_those_that_are_read_reach() -> None:
    edges = CHAIN | {"stg_d": ("c_d",), "fct_d": ("stg_d",), "ind_x": ("int_b", "fct_d"), "stg_f": ("e_f",)}
    declared = {"fct_b": PLAIN, "int_b": {"fct_b": SHIFT}, "fct_d": {"stg_d": {"kind": "all_later"}}}
    assert reach_of_x(edges, **declared) == {
        "a/b": Reach(-8, 2, False),
        "c/d": Reach(0, None, False),
        "as_of": SAME_EVERYWHERE,
    }


def test_an_indicator_behind_another_reads_as_far_as_that_does() -> None:
    edges = CHAIN | {"ind_y": ("int_b",), "ind_x": ("ind_y",)}
    declared = {"fct_b": PLAIN, "int_b": {"fct_b": SHIFT}, "ind_x": {"ind_y": {"kind": "same", "areas": "all"}}}
    assert reach_of_x(edges, **declared)["a/b"] == Reach(-8, 2, True)


def test_the_passing_of_days_reaches_its_periods_and_what_a_model_on_the_way_adds() -> None:
    declared = {"fct_b": PLAIN, "int_b": {"fct_b": {"kind": "same"}}}
    assert reach_of_x(CHAIN, **declared)["as_of"] == SAME_EVERYWHERE
    known_later = {"fct_b": {"kind": "same"}, "as_of": {"kind": "shift", "months": [-3, 0], "areas": "all"}}
    step = {"int_b": {"kind": "shift", "months": [-9, -6]}}
    found = reach_of_x(CHAIN, fct_b=PLAIN, int_b=known_later, ind_x=step)
    assert found["as_of"] == Reach(-12, 0, True)


def test_a_reach_of_what_is_not_read_is_refused_with_its_model() -> None:
    with pytest.raises(BuildError, match=r"int_b declares the reach of what it does not read: fct_c"):
        reach_of_x(CHAIN, int_b={"fct_c": {"kind": "same"}})


@pytest.mark.parametrize(
    "entry",
    [{"kind": "near"}, {"kind": "shift", "months": [2, 1]}, {"kind": "same", "areas": "some"}, {}],
)
def test_a_reach_that_makes_no_sense_is_refused_with_its_model(entry: dict[str, Any]) -> None:
    with pytest.raises(BuildError, match="int_b"):
        reach_of_x(CHAIN, int_b={"fct_b": entry})


def test_a_source_of_every_feed_is_touched_by_each() -> None:
    """As the ledger's batches are; which feeds there are the other sources tell."""
    edges = {"stg_b": ("a_b",), "stg_d": ("c_d",), "fct_e": ("*_",), "ind_x": ("fct_e",), "fct_b": ("stg_b", "stg_d")}
    declared = {"fct_e": {"*_": {"kind": "all_later", "months": [-12, 0], "areas": "all"}}}
    later = Reach(-12, None, is_everywhere=True)
    assert reach_of_x(edges, **declared) == {"a/b": later, "c/d": later, "as_of": SAME_EVERYWHERE}
    assert reach_of_x(edges)["c/d"] == WHOLE
