"""hrss/special_ability_items (专项职业能力考核项目): a full list a quarter, on a sheet of the workbook of registers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, quarters
from sandbox.dirt.kinds import ANY, Kind, county_kinds, date_kinds, full_width, put, required_kind
from sandbox.feeds.hrss.demand_forecasts import WORKBOOK, called, dues
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Feed, Page, Scene
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.writers.workbook import Sheet

NAME = "hrss/special_ability_items"
HEADER = {
    "item_code": "项目代码", "item_name": "项目名称", "county_code": "行政区划代码", "valid_from": "生效日期",
    "valid_to": "失效日期",
}  # fmt: skip
EVER_OFFERED, ITEMS = 640, 120
SHARE_ENDED = 0.15


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("county_code"),
        *date_kinds("valid_from"),
        required_kind("item_code"),
        Kind("code_other", ("item_code_pattern",), put(item_code="小吃01"), ANY),
        Kind("code_full_width", (), full_width("item_code"), ANY, 1, "full_width"),
        Kind("ended_before_begun", ("dates_in_order",), put(valid_to="2011-01-01"), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(valid_from="2020-01-02"), ANY, 1, "", "conflict"),
    ]


def items(scene: Scene) -> pl.DataFrame:
    """All items that counties ever offered, typed: `item` is a number, the same item in several counties."""
    rng = scene.stream(NAME, 1)
    area, number = areas.load(), scene.parameters.listed(EVER_OFFERED)
    begun = days(rng, "2021-01-01", str(scene.horizon), number)
    ended = np.where(rng.random(number) < SHARE_ENDED, begun + rng.integers(200, 1_200, number), NOT_A_DATE)
    drawn = pl.DataFrame(
        {
            "item": rng.integers(1, ITEMS + 1, number),
            "county": rng.integers(0, len(area.codes), number),
            "begun": begun,
            "ended": ended,
        }
    )
    every = drawn.unique(["item", "county"], keep="first", maintain_order=True).sort("item", "county")
    return every.with_columns(entry=pl.int_range(1, pl.len() + 1))


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    known = pl.when(pl.col("ended") <= last).then("ended").alias("ended")
    return entries.filter(pl.col("begun") <= last).with_columns(known).select(
        "entry",
        item_code=pl.format("ZX{}", pl.col("item").cast(pl.String).str.zfill(6)),
        item_name=pl.format("合成项目{}", "item"),
        county_code=county_code("county"),
        valid_from=day("begun"),
        valid_to=day("ended"),
    )  # fmt: skip


def make(scene: Scene) -> Iterator[Page]:
    """One page a quarter."""
    listing = Listing(NAME, items(scene), kinds(), as_listed)
    return pages(scene, listing, quarters(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, quarter: Span) -> list[Sheet]:
    name = called(3, ("专项职业能力考核项目", "专项能力项目库"), quarter)
    return [table(name, "专项职业能力考核项目台账", HEADER, rows)]


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
