"""The counties stand in three tables, each read by a part that may not read the others': they say the same."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from sandbox import areas
from threegaps.settings import Settings
from threegaps.standards.areas import OTHER_PROVINCES_AREA, UNKNOWN_AREA, codes_in_force

ROOT = Settings.load().root


def rows(path: str) -> list[dict[str, str]]:
    with Path(ROOT / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_judge_and_the_stand_in_departments_know_the_same_counties() -> None:
    judged = rows("plugins/threegaps/standards/reference/counties.csv")
    assert len(judged) == 90
    assert rows("sandbox/reference/counties.csv") == judged


def test_the_marts_know_them_by_the_same_names_and_cities() -> None:
    judged = {
        (row["county_code"], row["county_name"], row["city_code"])
        for row in rows("plugins/threegaps/standards/reference/counties.csv")
    }
    served = {
        (row["area_code"], row["name_zh"], row["parent_code"])
        for row in rows("dbt_project/seeds/seed_area.csv")
        if row["area_level"] == "county"
    }
    assert served == judged


def test_the_fixed_lists_have_the_members_that_the_table_marks() -> None:
    lists = {
        "G-MI26": "is_mountain_26",
        "G-MI25": "is_mountain_island_25_from_202408",
        "G-MI22": "is_mountain_island_22_from_202505",
    }
    members = rows("dbt_project/seeds/seed_area_member.csv")
    for group, mark in lists.items():
        listed = {row["county_code"] for row in members if row["area_code"] == group}
        marked = {row["county_code"] for row in rows("sandbox/reference/counties.csv") if row[mark] == "1"}
        assert listed == marked, group


def test_the_stand_in_departments_and_the_marts_know_the_same_areas_that_are_no_county() -> None:
    ours = {
        (row["area_code"], row["county_code"], row["area_level"])
        for row in rows("dbt_project/seeds/seed_area_member.csv")
        if row["area_level"] != "group"
    }
    theirs = areas.area_member().filter(pl.col("area_level") != "group")
    assert ours == set(theirs.select("area_code", "county_code", "area_level").iter_rows())
    others = {row["area_code"] for row in rows("dbt_project/seeds/seed_area.csv") if row["area_level"] == "other"}
    assert others == {OTHER_PROVINCES_AREA, UNKNOWN_AREA, *codes_in_force(("own_level",))}
