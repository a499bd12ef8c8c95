"""hrss/guide_channels (培训专栏与导航图渠道): a full list a quarter, on a sheet of the workbook of registers."""

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
    date_kinds,
    filled,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.feeds.hrss.demand_forecasts import WORKBOOK, called, dues
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Feed, Page, Scene
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.writers.workbook import Sheet

NAME = "hrss/guide_channels"
HEADER = {
    "channel_id": "渠道编号", "county_code": "行政区划代码", "channel_kind": "渠道类别", "live_from": "开通日期",
    "live_to": "关闭日期", "url": "网址",
}  # fmt: skip
CHANNEL_KINDS = ("政府网站", "服务中心", "零工市场")
# Of the counties that ever open such a channel, and of the channels that close again.
SHARE_OPENED, SHARE_CLOSED = (0.95, 0.85, 0.7), 0.05


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("county_code"),
        *date_kinds("live_from"),
        required_kind("channel_id"),
        code_kind("channel_kind", "微信群"),
        *missing_word_kinds("url"),
        Kind("url_in_words", ("url_pattern",), put(url="见公众号"), filled("url")),
        Kind("closed_before_opened", ("dates_in_order",), put(live_to="2011-01-01"), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(live_from="2020-01-02"), ANY, 1, "", "conflict"),
    ]


def channels(scene: Scene) -> pl.DataFrame:
    """All channels ever opened, typed: `county` is an index; only government sites have an address."""
    rng = scene.stream(NAME, 1)
    counties = np.arange(len(areas.load().codes))
    chosen = [counties[rng.random(len(counties)) < share] for share in SHARE_OPENED]
    county = np.concatenate(chosen)
    number = len(county)
    opened = days(rng, "2023-03-01", str(scene.horizon), number)
    closed = np.where(rng.random(number) < SHARE_CLOSED, opened + rng.integers(60, 700, number), NOT_A_DATE)
    kind = np.repeat(np.array(CHANNEL_KINDS), [len(found) for found in chosen])
    return pl.DataFrame(
        {"entry": np.arange(1, number + 1), "county": county, "kind": kind, "opened": opened, "closed": closed}
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    known = pl.when(pl.col("closed") <= last).then("closed").alias("closed")
    address = pl.format("https://skills{}.example.com/guide", "entry")
    return entries.filter(pl.col("opened") <= last).with_columns(known).select(
        "entry",
        channel_id=pl.format("QD{}", pl.col("entry").cast(pl.String).str.zfill(6)),
        county_code=county_code("county"),
        channel_kind="kind",
        live_from=day("opened"),
        live_to=day("closed"),
        url=pl.when(pl.col("kind") == CHANNEL_KINDS[0]).then(address).otherwise(pl.lit("")),
    )  # fmt: skip


def make(scene: Scene) -> Iterator[Page]:
    """One page a quarter."""
    listing = Listing(NAME, channels(scene), kinds(), as_listed)
    return pages(scene, listing, quarters(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, quarter: Span) -> list[Sheet]:
    name = called(2, ("培训专栏", "导航图渠道"), quarter)
    return [table(name, "培训专栏与导航图渠道台账", HEADER, rows)]


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
