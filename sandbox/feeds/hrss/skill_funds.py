"""hrss/skill_funds (技能促富资金台账): a full list a quarter, on a sheet of the workbook of registers of work.

Amounts are cumulative from 1 January, in 万元; what enterprises and persons pay is estimated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, quarters
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    full_width,
    missing_word_kinds,
    put,
)
from sandbox.feeds.hrss.demand_forecasts import WORKBOOK, called, dues
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Feed, Page, Scene
from sandbox.feeds.texts import amount, county_code
from sandbox.writers.workbook import Sheet

NAME = "hrss/skill_funds"
HEADER = {
    "area_code": "行政区划代码", "period_label": "统计期", "fund_source": "资金来源", "budget": "预算(万元)",
    "spent": "支出(万元)", "transferred_in": "其中他账转入(万元)", "is_estimate": "是否估计数",
}  # fmt: skip
# 万元 a year at the size of the province: enterprises, employment subsidies, unemployment insurance, special accounts,
# talent funds, persons (assumed).
A_YEAR = {"01": 260_000, "02": 90_000, "03": 110_000, "04": 70_000, "05": 30_000, "06": 60_000}
ESTIMATED = ("01", "06")
SPECIAL_ACCOUNT = "04"
SHARE_OF_OWN_LEVELS = 0.01
SHARE_ROUNDLY_SAID = 0.3
QUARTER_SHARES = (0.15, 0.4, 0.65, 1.0)


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    is_public = ~pl.col("fund_source").is_in(ESTIMATED)
    return [
        *county_kinds("area_code"),
        Kind("spent_missing", ("spent_cny_required",), put(spent=""), ANY),
        code_kind("fund_source", "07"),
        *missing_word_kinds("transferred_in"),
        Kind("budget_missing", ("public_budget_given",), put(budget=""), is_public),
        Kind("spent_no_number", ("spent_cny_type",), put(spent="待核"), ANY),
        Kind("spent_below_zero", ("spent_cny_range",), put(spent="-12.5"), ANY),
        Kind("spent_full_width", (), full_width("spent"), is_public, 1, "full_width"),
        Kind("estimate_in_words", ("is_estimate_type",), put(is_estimate="大概"), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(spent="1.25"), ANY, 1, "", "conflict"),
    ]


def funds(scene: Scene) -> pl.DataFrame:
    """Amounts of each area, year and source, typed, in cents of 万元 (hundreds of yuan); `area` is a place in
    `areas.all_codes`.

    `spent` and `moved` are those of the whole year, `QUARTER_SHARES` of them by the quarters' ends; `moved` is what
    came into the special account from unemployment insurance.
    """
    rng = scene.stream(NAME, 1)
    area = areas.load()
    places = np.array([*range(len(area.codes)), *range(len(area.codes) + 2, len(areas.all_codes()))])
    share = np.r_[area.weight, np.full(len(places) - len(area.codes), SHARE_OF_OWN_LEVELS)]
    found = []
    for year in range(2024, scene.horizon.year + 1):
        for source, whole in A_YEAR.items():
            number = len(places)
            budget = np.round(whole * share * rng.uniform(0.7, 1.3, number) * 100).astype(int) + 100
            spent = np.round(budget * rng.uniform(0.6, 0.98, number)).astype(int)
            is_special = np.full(number, source == SPECIAL_ACCOUNT)
            moved = np.where(is_special, np.round(spent * rng.uniform(0.1, 0.6, number)), 0).astype(int)
            found.append(
                pl.DataFrame(
                    {"area": places, "budget": budget, "spent": spent, "moved": moved, "is_round": rng.random(number)}
                ).with_columns(year=pl.lit(year), source=pl.lit(source))
            )
    every = pl.concat(found).with_columns(
        is_estimate=pl.col("source").is_in(ESTIMATED), is_round=pl.col("is_round") < SHARE_ROUNDLY_SAID
    )
    return every.sort("year", "area", "source").with_columns(entry=pl.int_range(1, pl.len() + 1))


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns; the running year under its months."""
    is_running = pl.col("year") == last.year
    share = pl.when(is_running).then(pl.lit(QUARTER_SHARES[last.month // 3 - 1])).otherwise(1.0)
    spent, moved = ((pl.col(name) * share).cast(pl.Int64) for name in ("spent", "moved"))
    months = pl.format("{}年1-{}月", "year", pl.lit(last.month))
    roundly = pl.col("is_estimate") & pl.col("is_round") & (spent >= 1_000)
    return entries.filter(pl.col("year") <= last.year).select(
        "entry",
        area_code=county_code("area"),
        period_label=pl.when(is_running & (last.month < 12)).then(months).otherwise(pl.format("{}年", "year")),
        fund_source="source",
        budget=pl.when("is_estimate").then(pl.lit("")).otherwise(amount(pl.col("budget"))),
        spent=pl.when(roundly).then(pl.format("约{}", spent // 1_000 * 10)).otherwise(amount(spent)),
        transferred_in=pl.when(moved > 0).then(amount(moved)).otherwise(pl.lit("")),
        is_estimate=pl.when("is_estimate").then(pl.lit("是")).otherwise(pl.lit("否")),
    )


def make(scene: Scene) -> Iterator[Page]:
    """One page a quarter."""
    listing = Listing(NAME, funds(scene), kinds(), as_listed)
    return pages(scene, listing, quarters(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, quarter: Span) -> list[Sheet]:
    name = called(4, ("资金台账", "技能促富资金"), quarter)
    return [table(name, "技能促富资金台账", HEADER, rows)]


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
