"""Resident income as it was published: the one real thing here."""

from __future__ import annotations

import csv
from pathlib import Path

PUBLISHED = Path(__file__).parent / "published"
Row = dict[str, str]


def _read(name: str) -> list[Row]:
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def figures() -> dict[str, list[Row]]:
    """Published rows by delivery (`2020Q3`), canonical column names, texts as printed, missing values empty."""
    result: dict[str, list[Row]] = {}

    def add(delivery: str, **row: str) -> None:
        result.setdefault(delivery, []).append(row)

    for row in _read("zj_province_income_series.csv"):
        basis = "derived" if row["basis"].startswith("derived") else "printed"
        add(
            f"{row['year']}Q4",
            area_code="330000",
            area_name="全省",
            all=row["income_all_yuan"],
            urban=row["income_urban_yuan"],
            rural=row["income_rural_yuan"],
            ratio=row["urban_rural_ratio"],
            definition="old_2013" if row["year"] == "2013" else "integrated",
            basis=basis,
            source=row["source_url"],
        )
    for row in _read("zj_city_income_2020q1q3.csv"):
        add(
            "2020Q3",
            area_code=row["area_code"],
            area_name=row["area_name"],
            all=row["income_all_yuan"],
            growth_all=row["growth_all_pct"],
            urban=row["income_urban_yuan"],
            growth_urban=row["growth_urban_pct"],
            rural=row["income_rural_yuan"],
            growth_rural=row["growth_rural_pct"],
            source=row["source_url"],
        )
    for row in _read("zj_city_main_2015_partial.csv"):
        if row["income_urban_yuan"]:
            add("2015Q4", area_code=row["area_code"], area_name=row["area_name"], urban=row["income_urban_yuan"],
                rural=row["income_rural_yuan"], source=row["source_url"])  # fmt: skip
    for name in ("zj_city_income_various.csv", "zj_county_income_sparse.csv"):
        for row in _read(name):
            add(
                f"{row['period']}Q4",
                area_code=row["area_code"],
                area_name=row["area_name"],
                all=row["income_all_yuan"],
                urban=row["income_urban_yuan"],
                rural=row["income_rural_yuan"],
                ratio=row["urban_rural_ratio_printed"],
                source=row["source_url"],
            )
    add(
        "2020Q4",
        area_code="金义新区",
        area_name="金义新区",
        all="—",
        urban="—",
        rural="—",
        source="reporting unit printed in Jinhua tables; no figure carried",
    )
    return result
