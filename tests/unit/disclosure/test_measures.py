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
