"""The catalogue says of every figure whether it needs protection, and of every built one whom its sides count."""

from __future__ import annotations

import csv
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds"
# What is counted where an indicator counts: medians and inequality have no counts of persons to show.
SIDES = {
    "count": {"numerator"},
    "distinct": {"numerator"},
    "ratio_of_sums": {"numerator", "denominator"},
    "ratio_of_distinct": {"numerator", "denominator"},
    "ratio_of_shares": {"numerator", "denominator", "comparison_numerator", "comparison_denominator"},
}


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_indicator_says_whom_its_figures_could_disclose() -> None:
    kinds = {row["indicator_code"]: row["disclosure"] for row in seed("seed_indicator")}
    assert set(kinds.values()) == {"persons", "employers", "none"}
    # public rosters, directories and honours need no protection, whoever stands on them
    assert {kinds[code] for code in ("M05-4", "M08-1", "M09-1", "M11-1", "M21-4", "M21-5")} == {"none"}


def test_every_built_indicator_that_counts_persons_names_its_counts() -> None:
    named: dict[str, set[str]] = {}
    for row in seed("seed_measure"):
        if row["breakdown"] == "any":
            named.setdefault(row["indicator_code"], set()).add(row["side"])
    wanted = {
        row["indicator_code"]: SIDES[row["method"]]
        for row in seed("seed_indicator")
        if row["is_built"] == "true" and row["disclosure"] != "none" and row["method"] in SIDES
    }
    assert len(wanted) > 10
    assert {code: sides for code, sides in wanted.items() if not sides <= named.get(code, set())} == {}


def test_every_row_speaks_of_a_part_that_its_indicator_has() -> None:
    built = {row["indicator_code"] for row in seed("seed_indicator") if row["is_built"] == "true"}
    values: dict[str, set[str]] = {}
    for row in seed("seed_breakdown_value"):
        values.setdefault(row["breakdown"], set()).add(row["breakdown_value"])
    parts = {
        (row["indicator_code"], row["breakdown"], value)
        for row in seed("seed_indicator_breakdown")
        for value in values[row["breakdown"]]
        if row["breakdown_values"] == "any" or value in row["breakdown_values"].split(",")
    }
    spoken = [(row["indicator_code"], row["breakdown"], row["breakdown_value"]) for row in seed("seed_measure")]
    assert [key for key in spoken if key[0] not in built] == []
    assert [key for key in spoken if key[1:] != ("any", "any") and key not in parts] == []


def test_the_parts_of_both_sides_are_parts_of_the_numerator_too() -> None:
    sides = {row["breakdown"]: (row["parts_add_up"], row["numerators_add_up_to"]) for row in seed("seed_breakdown")}
    assert {breakdown for breakdown, (both, to) in sides.items() if both == "true" and to != "numerator"} == set()
    # what a document says of shares that are together all or together the total's
    assert [sides[breakdown][1] for breakdown in ("highest_level", "gained_level", "occupation_match")] == [
        "denominator", "numerator", "numerator"
    ]  # fmt: skip


def test_every_measure_says_what_it_is_within_or_why_it_is_in_nothing() -> None:
    named = {(row["measure"], row["part"]) for row in seed("seed_measure")}
    subsets = seed("seed_subset")
    said = {row["measure"] for row in subsets if row["part"] == "all" or (row["measure"], "all") not in named}
    assert {measure for measure, _ in named} - said == set(), "rows of seed_subset are missing"
    wholes = {(row["whole_measure"], row["whole_part"]) for row in subsets} - {("none", "none")}
    assert wholes | {(row["measure"], row["part"]) for row in subsets if row["part"] != "all"} <= named
    assert [row for row in subsets if not row["reason"].strip()] == []
    # "none" is said once, and beside nothing else
    counts = [(row["measure"], row["part"]) for row in subsets]
    lone = [(row["measure"], row["part"]) for row in subsets if row["whole_measure"] == "none"]
    assert [count for count in lone if counts.count(count) > 1] == []


def test_what_makes_up_a_count_has_a_name_somewhere() -> None:
    named = {(row["measure"], row["part"]) for row in seed("seed_measure")}
    compositions = seed("seed_composition")
    assert {(row["measure"], row["whole"]) for row in compositions} <= named
    sides = {(row["measure"], side) for row in compositions for side in row["part"].split(" without ")}
    assert sides <= named
