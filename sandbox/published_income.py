"""The one real feed: published resident income, written as it was published. Never labelled synthetic."""

from __future__ import annotations

import csv
from pathlib import Path

PUBLISHED = Path(__file__).parent / "published"
HEADER = (
    "地区", "行政区划代码", "时间", "全体居民人均可支配收入(元)", "全体居民收入增长(%)",
    "城镇居民人均可支配收入(元)", "城镇居民收入增长(%)", "农村居民人均可支配收入(元)", "农村居民收入增长(%)",
    "城乡收入比", "口径", "数据性质", "来源",
)  # fmt: skip
Row = dict[str, str]
LABELS = {"2020Q3": "20203", "2020Q4": "20204", "2021Q4": "2021年1-12月"}
NOTES = {
    "2019Q4": "注：2019年城镇、农村收入由2020年公布水平减公布增量推算",
    "2020Q4": "注：全省全体居民收入由公布值推算，城镇、农村收入和收入比为公布值",
    "2022Q4": "注：全省收入由宁波公布值及其与全省差额推算",
    "2023Q4": "注：全省城乡收入比由台州公布的比值及其与全省差距推算",
}


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


def write(folder: Path) -> dict[str, int]:
    """Write one CSV a delivery with subtotal, rank and note rows. Returns the number of data rows by delivery."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for delivery, rows in sorted(figures().items()):
        label = LABELS.get(delivery, f"{delivery[:4]}年")
        lines = [list(HEADER)]
        for row in rows:
            lines.append(
                [row["area_name"], row["area_code"], label]
                + [
                    row.get(key, "")
                    for key in ("all", "growth_all", "urban", "growth_urban", "rural", "growth_rural", "ratio")
                ]
                + [row.get("definition", "integrated"), row.get("basis", "printed"), row["source"]]
            )
            if delivery == "2020Q3" and row["area_code"] in ("330500", "331100"):
                subtotal = "浙东北" if row["area_code"] == "330500" else "浙西南"
                lines.append([subtotal, *[""] * 12])
        if delivery == "2020Q3":
            lines.append(["丽水位次", "", "", "11", "2", "11", "2", "11", "1", "", "", "", ""])
        lines.append([NOTES.get(delivery, "注：累计数，数据来自住户收支与生活状况调查"), *[""] * 12])
        with (folder / f"resident_income_{delivery}.csv").open("w", encoding="utf-8", newline="") as target:
            csv.writer(target, lineterminator="\n").writerows(lines)
        counts[delivery] = len(rows)
    return counts
