"""federations/beautiful_workshops (美丽工坊残疾妇女技能增收): a full list a quarter, an Excel workbook of sums.

Sums of the whole province, cumulative from 1 January; no person stands in it. Who is trained comes from the
population's trainings of women with a disability.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import quarters
from sandbox.dirt.kinds import ANY, Kind, code_kind, full_width, put
from sandbox.feeds.lists import Listing, workbooks
from sandbox.feeds.model import Consignment, Drop, Due, Feed, Scene
from sandbox.writers.workbook import Cell, Line, Sheet, excel_number

NAME = "federations/beautiful_workshops"
HEADER = {
    "period_label": "时期", "organised_by": "工坊主办方", "trained_women": "本年累计结业残疾妇女(人)",
    "reporting_women": "其中报告增收(人)", "monthly_gain_sum_cny": "月增收合计(元)",
}  # fmt: skip
ORGANISERS = np.array(["妇联", "残联", "共建"])
DISABLED = "05"
"""Among the priority groups of a training."""
SHARE_REPORTING = 0.8


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        code_kind("organised_by", "其他"),
        Kind("women_in_words", ("trained_women_type",), put(trained_women="若干"), ANY),
        Kind("more_report_than_trained", ("reporting_within_trained",), put(reporting_women="90000"), ANY),
        Kind("women_full_width", (), full_width("trained_women"), ANY, 1, "full_width"),
        Kind("women_with_measure_word", (), put(trained_women=pl.format("{}人", "trained_women")), ANY, 1, "written"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
    ]


def sums(scene: Scene) -> pl.DataFrame:
    """Every period and organiser, typed: each woman once in a year, where she first completed a training."""
    rng = scene.stream(NAME, 1)
    trainings = scene.people.trainings.filter(
        (pl.col("version") == 2) & (pl.col("status") == "02") & pl.col("priority_groups").str.contains(DISABLED)
    )
    women = scene.people.persons.filter(~pl.col("male")).select("person")
    first = (
        trainings.join(women, on="person", how="semi")
        .group_by("person", year=pl.col("completion_date").dt.year())
        .agg(pl.col("completion_date").min())
        .sort("person", "year")
    )
    number = len(first)
    first = first.with_columns(
        organised_by=pl.Series(rng.choice(ORGANISERS, number, p=[0.45, 0.35, 0.2])),
        reports=pl.Series(rng.random(number) < SHARE_REPORTING),
        gain=pl.Series(np.round(rng.uniform(300, 2_200, number), -1).astype(int)),
    )
    found = []
    for quarter in quarters(scene.horizon):
        year = first.filter((pl.col("year") == quarter.last.year) & (pl.col("completion_date") <= quarter.last))
        counted = year.group_by("organised_by").agg(
            trained_women=pl.len().cast(pl.Int64),
            reporting_women=pl.col("reports").sum().cast(pl.Int64),
            monthly_gain_sum_cny=pl.col("gain").filter(pl.col("reports")).sum().cast(pl.Int64),
        )
        every = pl.DataFrame({"organised_by": ORGANISERS}).join(
            counted, on="organised_by", how="left", maintain_order="left"
        )
        found.append(every.with_columns(pl.exclude("organised_by").fill_null(0), period_end=pl.lit(quarter.last)))
    return pl.concat(found).with_columns(entry=pl.format("{}|{}", "period_end", "organised_by"))


def as_listed(frame: pl.DataFrame, last: date) -> pl.DataFrame:
    """All periods up to `last`, as text; `entry` tells their rows apart."""
    month = pl.col("period_end").dt.month()
    span = pl.when(month == 12).then(pl.lit("年")).otherwise(pl.format("年1-{}月", month))
    return frame.filter(pl.col("period_end") <= last).select(
        period_label=pl.format("{}{}", pl.col("period_end").dt.year(), span),
        organised_by="organised_by",
        trained_women=pl.col("trained_women").cast(pl.String),
        reporting_women=pl.col("reporting_women").cast(pl.String),
        monthly_gain_sum_cny=pl.col("monthly_gain_sum_cny").cast(pl.String),
        entry="entry",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a quarter; the same rows are dirty in each, so that a refused one is never half known."""
    listing = Listing(NAME, sums(scene), kinds(), as_listed)
    yield from workbooks(scene, listing, quarters(scene.horizon), lambda rows, _: [_sheet(rows)])


def _sheet(rows: pl.DataFrame) -> Sheet:
    """Title, note, header, data, a note."""
    lines = [
        Line(["美丽工坊残疾妇女技能增收汇总表"]),
        Line(["全省数，自年初累计（合成数据）"]),
        Line(list(HEADER.values())),
    ]
    for row in rows.select(*HEADER).iter_rows(named=True):
        lines.append(Line([_cell(name, row[name]) for name in HEADER], is_data=True))
    lines.append(Line(["注：增收额为本人自报"]))
    return Sheet("汇总表", lines, merged=("A1:E1", "A2:E2"))


def _cell(name: str, text: str) -> Cell:
    return text if name in ("period_label", "organised_by") else excel_number(text)


FEED = Feed(NAME, Drop(), make, lambda last: [Due(quarter.last, quarter.key) for quarter in quarters(last)])
