"""hrss/incentive_plans (中长期激励与企业年金备案): a full list a year, amounts in 元 or 万元."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import Span, years
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    full_width,
    put,
    required_kind,
)
from sandbox.feeds.lists import Listing, table, workbooks
from sandbox.feeds.model import Consignment, Drop, Due, Feed, Scene
from sandbox.feeds.texts import amount, county_code, day
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.writers.workbook import Sheet

NAME = "hrss/incentive_plans"
HEADER = {
    "uscc": "统一社会信用代码", "plan_number": "备案编号", "plan_kind": "方案类别", "county_code": "行政区划代码",
    "covers_high_skilled": "是否面向高技能人才", "members": "参加人数(人)",
    "high_skilled_members": "其中高技能人才(人)", "annual_amount": "年度激励(缴费)金额", "amount_unit": "金额单位",
    "valid_from": "实施日期", "valid_to": "终止日期",
}  # fmt: skip
EVER_FILED = 2_000
PLAN_KINDS, PLAN_SHARES = np.array(["01", "02", "03", "04", "05", "06"]), (0.08, 0.22, 0.12, 0.08, 0.4, 0.1)
SHARE_IN_TEN_THOUSANDS, SHARE_UNSAID, SHARE_OPEN, SHARE_ENDED = 0.35, 0.45, 0.7, 0.12


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    in_yuan = (pl.col("amount_unit") == "元") & filled("annual_amount")
    unsaid = pl.col("high_skilled_members") == ""
    slip = ("annual_amount_unit_slip",)
    return [
        *county_kinds("county_code"),
        *date_kinds("valid_from"),
        required_kind("uscc"),
        required_kind("amount_unit"),
        code_kind("plan_kind", "07"),
        Kind("ended_before_begun", ("dates_in_order",), put(valid_to="2001-01-01"), ANY),
        Kind("open_to_whom", ("covers_high_skilled_type",), put(covers_high_skilled="部分"), ANY),
        Kind("more_than_members", ("high_skilled_within_members",), put(high_skilled_members="999999"), ANY),
        Kind("members_no_number", ("members_type",), put(members="全员"), unsaid),
        Kind("members_full_width", (), full_width("members"), ANY, 1, "full_width"),
        Kind("unsaid_in_words", (), put(high_skilled_members="未统计"), unsaid, 2, "missing_word"),
        Kind("ten_thousands_called_yuan", slip, put(annual_amount="52.5"), in_yuan, 2),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(covers_high_skilled="是"), _CLOSED, 1, "", "conflict"),
    ]


_CLOSED = pl.col("covers_high_skilled") == "否"


def plans(scene: Scene) -> pl.DataFrame:
    """All plans ever filed, typed: amounts in cents; -1 high-skilled members where the filing does not say it."""
    rng = scene.stream(NAME, 1)
    employers, number = scene.people.employers, scene.parameters.listed(EVER_FILED)
    owner = employers[np.sort(rng.integers(0, len(employers), number))]
    members = np.round(np.exp(rng.normal(3.4, 1.0, number))).astype(int) + 3
    begun = days(rng, "2018-01-01", str(scene.horizon), number)
    ended = np.where(rng.random(number) < SHARE_ENDED, begun + rng.integers(300, 1_800, number), NOT_A_DATE)
    is_open = rng.random(number) < SHARE_OPEN
    high = np.round(members * np.where(is_open, rng.uniform(0.1, 0.7, number), 0)).astype(int)
    # Whole hundreds of yuan, so that an amount in 万元 has two decimals.
    cents = np.round(members * rng.uniform(2_000, 40_000, number) / 100).astype(int) * 10_000
    return pl.DataFrame(
        {
            "entry": np.arange(1, number + 1),
            "uscc": owner["uscc"],
            "county": owner["county"],
            "kind": rng.choice(PLAN_KINDS, number, p=PLAN_SHARES),
            "is_open": is_open,
            "members": members,
            "high": np.where(rng.random(number) < SHARE_UNSAID, -1, high),
            "cents": cents,
            "in_ten_thousands": rng.random(number) < SHARE_IN_TEN_THOUSANDS,
            "begun": begun,
            "ended": ended,
        }
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    known = pl.when(pl.col("ended") <= last).then("ended").alias("ended")
    cents, is_large = pl.col("cents"), pl.col("in_ten_thousands")
    return entries.filter(pl.col("begun") <= last).with_columns(known).select(
        "entry",
        uscc="uscc",
        plan_number=pl.format("FA{}", pl.col("entry").cast(pl.String).str.zfill(8)),
        plan_kind="kind",
        county_code=county_code("county"),
        covers_high_skilled=pl.when("is_open").then(pl.lit("是")).otherwise(pl.lit("否")),
        members=pl.col("members").cast(pl.String),
        high_skilled_members=pl.when(pl.col("high") < 0).then(pl.lit("")).otherwise(pl.col("high").cast(pl.String)),
        annual_amount=pl.when(is_large).then(amount(cents // 10_000)).otherwise(amount(cents)),
        amount_unit=pl.when(is_large).then(pl.lit("万元")).otherwise(pl.lit("元")),
        valid_from=day("begun"),
        valid_to=day("ended"),
    )  # fmt: skip


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a year."""
    listing = Listing(NAME, plans(scene), kinds(), as_listed)
    return workbooks(scene, listing, years(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, year: Span) -> list[Sheet]:
    return [table("备案名单", f"{year.key}年中长期激励与企业年金备案名单", HEADER, rows)]


FEED = Feed(NAME, Drop(), make, lambda last: [Due(year.last, year.key) for year in years(last)])
