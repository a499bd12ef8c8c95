"""hrss/demand_forecasts (技能人才需求预测): a full list a quarter, on a sheet of the workbook of registers of work.

The sheets of that workbook are called otherwise in each quarter.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, add_months, quarters
from sandbox.dirt.kinds import ANY, Kind, code_kind, county_kinds, date_kinds, put, required_kind
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Due, Feed, Page, Scene
from sandbox.feeds.texts import day
from sandbox.writers.workbook import Line, Sheet

NAME = "hrss/demand_forecasts"
WORKBOOK = "plan_registers"
HEADER = {"forecast_id": "预测编号", "area_code": "行政区划代码", "scope": "预测范围", "published_on": "发布日期"}
SHARE_PUBLISHED_A_YEAR, SHARE_OF_CITIES = 0.75, 0.5
FIRST_YEAR = 2023


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("area_code"),
        *date_kinds("published_on"),
        required_kind("forecast_id"),
        code_kind("scope", "镇域"),
        Kind("id_other", ("forecast_id_pattern",), put(forecast_id="第一期"), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(published_on="2023-01-02"), ANY, 1, "", "conflict"),
    ]


def forecasts(scene: Scene) -> pl.DataFrame:
    """All forecasts ever published, typed: most counties publish one in most years, half of the cities for all of
    theirs; `area` is a code."""
    rng = scene.stream(NAME, 1)
    table_of = areas.counties()
    found = []
    for year in range(FIRST_YEAR, scene.horizon.year + 1):
        for codes, share, scope in (
            (table_of["county_code"], SHARE_PUBLISHED_A_YEAR, "县域"),
            (table_of["city_code"].unique().sort(), SHARE_OF_CITIES, "市域"),
        ):
            chosen = codes.filter(pl.Series(rng.random(len(codes)) < share))
            published = np.datetime64(f"{year}-01-15") + rng.integers(0, 340, len(chosen))
            found.append(pl.DataFrame({"area": chosen, "published": published}).with_columns(scope=pl.lit(scope)))
    every = pl.concat(found).filter(pl.col("published") <= scene.horizon).sort("published", "area")
    return every.with_columns(entry=pl.int_range(1, pl.len() + 1))


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    return entries.filter(pl.col("published") <= last).select(
        "entry",
        forecast_id=pl.format("YC{}", pl.col("entry").cast(pl.String).str.zfill(6)),
        area_code="area",
        scope="scope",
        published_on=day("published"),
    )


def called(number: int, words: tuple[str, ...], quarter: Span) -> str:
    """What a sheet is called in a quarter: by number, with the year, or plainly; its words change too."""
    turn = quarter.first.month // 3 + quarter.first.year
    word = words[turn % len(words)]
    return (f"{number}.{word}", f"{quarter.first.year}年{word}", word)[turn % 3]


def make(scene: Scene) -> Iterator[Page]:
    """A guide and the register, one page a quarter."""
    listing = Listing(NAME, forecasts(scene), kinds(), as_listed)
    return pages(scene, listing, quarters(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, quarter: Span) -> list[Sheet]:
    until = add_months(quarter.last, 1)
    guide = Sheet("填报说明", [Line(["工作台账填报说明"]), Line([f"请于{until.month}月15日前报送（合成数据）"])])
    name = called(1, ("技能人才需求预测", "需求预测台账"), quarter)
    return [guide, table(name, "技能人才需求预测发布台账", HEADER, rows)]


def dues(last: date) -> list[Due]:
    """One workbook a quarter."""
    return [Due(quarter.last, quarter.key) for quarter in quarters(last)]


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
