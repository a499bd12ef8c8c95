"""Employment, population and skilled persons as they were published, with what was looked for and not found."""

from __future__ import annotations

import csv
import re
from pathlib import Path

PUBLISHED = Path(__file__).parent / "published"
Row = dict[str, str]
NOT_FOUND = "—"
# Yearbook table 17-2 of 2015 was kept in part: these cities stand below the place where it stops.
CITIES_CUT_OFF = {"330700": "金华市", "330800": "衢州市", "331000": "台州市", "331100": "丽水市"}
SKILL_ITEMS = (
    ("skill_talent_10k", "技能人才", "万人"),
    ("share_of_employed_pct", "技能人才占从业人员比重", "%"),
    ("high_skill_10k", "高技能人才", "万人"),
    ("high_skill_share_pct", "高技能人才占技能人才比重", "%"),
)
PRINTED_WITH_A_BOUND = {("2012-12", "700"): "近700"}
"""Figures whose bound the source prints: the table keeps the number only."""


def _read(name: str) -> list[Row]:
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def figures() -> list[Row]:
    """Published rows, canonical column names, values as printed; targets and plans for later years are left out."""
    return [*_skilled(), *_employed(), *_residents()]


def _row(area: tuple[str, str], printed: str, item: str, value: str, unit: str, source: str) -> Row:
    return {
        "area_code": area[0], "area_name": area[1], "as_of": last_day(printed), "as_of_printed": printed, "item": item,
        "value": value, "unit": unit, "is_conflicting": "否", "definition_note": "", "source": source,
    }  # fmt: skip


def last_day(printed: str) -> str:
    """The day that a printed year or month speaks of: its last."""
    found = re.match(r"(\d{4})(?:-(\d{2}))?", printed)
    if found is None:
        raise ValueError(printed)
    month = found[2] or "12"
    last = {"02": "28", "04": "30", "06": "30", "09": "30", "11": "30"}.get(month, "31")
    return f"{found[1]}-{month}-{last}"


def _skilled() -> list[Row]:
    rows = []
    for kept in _read("zj_skill_talent_series.csv"):
        if kept["kind"].startswith("target"):
            continue
        area = (kept["area_code"], kept["area_name"])
        for column, item, unit in SKILL_ITEMS:
            if kept[column]:
                value = PRINTED_WITH_A_BOUND.get((kept["as_of"], kept[column]), kept[column])
                row = _row(area, kept["as_of"], item, value, unit, kept["source_url"])
                rows.append(row | {"definition_note": kept["kind"]})
    said = [(row["as_of"], row["item"]) for row in rows]
    for row in rows:
        if said.count((row["as_of"], row["item"])) > 1:
            row["is_conflicting"] = "是"
    return rows


def _employed() -> list[Row]:
    table = _read("zj_city_main_2015_partial.csv")
    rows = [
        _row((row["area_code"], row["area_name"]), row["year"], "从业人员", row["employed_persons_10k"], "万人",
             row["source_url"])
        for row in table
    ]  # fmt: skip
    rows += [
        _row(city, "2015", "从业人员", NOT_FOUND, "万人", table[0]["source_url"]) for city in CITIES_CUT_OFF.items()
    ]
    nothing = "no published figure found"
    return [*rows, _row(("330000", "浙江省"), "2023", "乡村就业人员", NOT_FOUND, "万人", nothing)]


def _residents() -> list[Row]:
    return [
        _row((row["area_code"], row["area_name"]), row["as_of"], "常住人口", row["population_10k"], "万人",
             row["source_url"])
        for row in _read("zj_population_sparse.csv")
    ]  # fmt: skip
