"""statistics/employment_population: real figures, written as they were published. Never labelled synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from sandbox.calendar import OPENING_DAY
from sandbox.dirt.spoil import CLEAN
from sandbox.feeds.model import Consignment, Drop, Due, Feed, File, Scene
from sandbox.published_employment import figures
from sandbox.writers.csv_file import write_lines

NAME = "statistics/employment_population"
DELIVERY = "2025"
HEADER = {
    "area_name": "地区", "area_code": "行政区划代码", "as_of": "时点", "as_of_printed": "时点(原文)", "item": "指标",
    "value": "数值", "unit": "单位", "is_conflicting": "与另一来源不一致", "definition_note": "口径说明",
    "source": "来源",
}  # fmt: skip
NOTE = "注：只收录已见公布的数；未见公布的数值为“—”，不作推算"


def make(scene: Scene) -> Iterator[Consignment]:
    """One CSV with all that has been published; it lies there from the beginning."""
    rows = pl.DataFrame(figures()).select(*HEADER).with_columns(**CLEAN)
    yield Consignment(Due(OPENING_DAY, DELIVERY), rows, _files)


def _files(rows: pl.DataFrame) -> list[File]:
    def write(path: Path) -> pl.DataFrame:
        lines = [list(HEADER.values()), *(list(row) for row in rows.select(*HEADER).iter_rows())]
        write_lines([*lines, [NOTE, *[""] * (len(HEADER) - 1)]], path)
        return rows.with_columns(_row=pl.int_range(1, pl.len() + 1))

    return [File(f"employment_population_{DELIVERY}.csv", write, pl.concat_str("area_code", "as_of", "item"))]


FEED = Feed(NAME, Drop(), make, lambda last: [Due(OPENING_DAY, DELIVERY)])
