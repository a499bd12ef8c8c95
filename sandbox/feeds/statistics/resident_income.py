"""statistics/resident_income: real figures, written as they were published. Never labelled synthetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from sandbox.calendar import OPENING_DAY
from sandbox.dirt.spoil import CLEAN
from sandbox.feeds.model import Consignment, Drop, Due, Feed, File, Scene
from sandbox.published_income import figures
from sandbox.writers.csv_file import write_lines

NAME = "statistics/resident_income"
HEADER = (
    "地区", "行政区划代码", "时间", "全体居民人均可支配收入(元)", "全体居民收入增长(%)",
    "城镇居民人均可支配收入(元)", "城镇居民收入增长(%)", "农村居民人均可支配收入(元)", "农村居民收入增长(%)",
    "城乡收入比", "口径", "数据性质", "来源",
)  # fmt: skip
LABELS = {"2020Q3": "20203", "2020Q4": "20204", "2021Q4": "2021年1-12月"}
NOTES = {
    "2019Q4": "注：2019年城镇、农村收入由2020年公布水平减公布增量推算",
    "2020Q4": "注：全省全体居民收入由公布值推算，城镇、农村收入和收入比为公布值",
    "2022Q4": "注：全省收入由宁波公布值及其与全省差额推算",
    "2023Q4": "注：全省城乡收入比由台州公布的比值及其与全省差距推算",
    "2025Q4": "注：全省城乡收入比为省政府工作报告公布的约数，城镇、农村收入未公布准确数",
}
FIGURES = ("all", "growth_all", "urban", "growth_urban", "rural", "growth_rural", "ratio")
COLUMNS = ("area_name", "area_code", *FIGURES, "definition", "basis", "source")


def make(scene: Scene) -> Iterator[Consignment]:
    """One CSV a delivery with subtotal, rank and note rows; all of it lies there from the beginning."""
    for delivery, published in sorted(figures().items()):
        standard = {"definition": "integrated", "basis": "printed"}
        rows = pl.DataFrame(
            [{name: row.get(name, standard.get(name, "")) for name in COLUMNS} for row in published]
        ).with_columns(**CLEAN)
        yield Consignment(Due(OPENING_DAY, delivery), rows, _files(delivery))


def _files(delivery: str) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        def write(path: Path) -> pl.DataFrame:
            write_lines(_lines(delivery, rows), path)
            return rows.with_columns(_row=pl.int_range(1, pl.len() + 1))

        return [File(f"resident_income_{delivery}.csv", write, pl.col("area_code"))]

    return files


def _lines(delivery: str, rows: pl.DataFrame) -> list[list[str]]:
    label = LABELS.get(delivery, f"{delivery[:4]}年")
    lines = [list(HEADER)]
    for row in rows.iter_rows(named=True):
        lines.append([row["area_name"], row["area_code"], label, *(row[name] for name in COLUMNS[2:])])
        if delivery == "2020Q3" and row["area_code"] in ("330500", "331100"):
            subtotal = "浙东北" if row["area_code"] == "330500" else "浙西南"
            lines.append([subtotal, *[""] * 12])
    if delivery == "2020Q3":
        lines.append(["丽水位次", "", "", "11", "2", "11", "2", "11", "1", "", "", "", ""])
    lines.append([NOTES.get(delivery, "注：累计数，数据来自住户收支与生活状况调查"), *[""] * 12])
    return lines


FEED = Feed(NAME, Drop(), make, lambda last: [Due(OPENING_DAY, delivery) for delivery in sorted(figures())])
