"""hrss/leading_talent (浙派工匠梯队与国家级荣誉): a full list a year, an Excel workbook in the drop folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import Span, years
from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    identity_kinds,
    put,
)
from sandbox.feeds.lists import Listing, table, workbooks
from sandbox.feeds.model import Consignment, Drop, Due, Feed, Scene
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.writers.workbook import Sheet

NAME = "hrss/leading_talent"
HEADER = {
    "person_name": "姓名", "id_type": "证件类型", "resident_id": "证件号码", "honour": "荣誉称号",
    "honour_level": "荣誉级别", "awarded_on": "授予(聘任)日期", "uscc": "所在单位统一社会信用代码",
    "county_code": "工作地行政区划代码", "ended_on": "退出日期",
}  # fmt: skip
HOLDERS, LEAST_HOLDERS = 20_000, 240
NATIONAL = ("中华技能大奖", "全国技术能手", "大国工匠")
PROVINCIAL = ("浙江大工匠", "浙江杰出工匠", "浙江工匠", "浙江青年工匠", "浙江省技术能手")
APPOINTED = {"T": "特级技师", "S": "首席技师"}
HONOUR_SHARES = (0.005, 0.06, 0.005, 0.03, 0.1, 0.4, 0.25, 0.15)
SHARE_ENDED, SHARE_WITH_TWO = 0.1, 0.15


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *identity_kinds(),
        *county_kinds("county_code"),
        *date_kinds("awarded_on"),
        code_kind("honour", "先进工作者"),
        code_kind("honour_level", "市级"),
        Kind("ended_before_awarded", ("dates_in_order",), put(ended_on="1990-01-01"), ANY),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), filled("uscc")),
        Kind("name_with_number", ("identity_in_text",), put(person_name=pl.format("工匠{}", "resident_id")), RESIDENT),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(honour_level="企业聘任"), ~_APPOINTED, 1, "", "conflict"),
    ]


_APPOINTED = pl.col("honour_level") == "企业聘任"


def honours(scene: Scene) -> pl.DataFrame:
    """All honours and appointments, typed: of high-skilled persons who work, in the county where they work."""
    rng = scene.stream(NAME, 1)
    people = scene.people
    work = people.spells.group_by("person", maintain_order=True).agg(pl.col("uscc", "work").first())
    skilled = people.persons.filter(pl.col("level").is_in(["3", "2", "1"])).join(
        work, on="person", maintain_order="left"
    )
    number = min(max(round(HOLDERS * scene.parameters.scale), LEAST_HOLDERS), len(skilled))
    chosen = skilled[np.sort(rng.permutation(len(skilled))[:number])]
    chosen = pl.concat([chosen, chosen.filter(pl.Series(rng.random(number) < SHARE_WITH_TWO))])
    honour = rng.choice(np.array([*NATIONAL, *PROVINCIAL]), len(chosen), p=HONOUR_SHARES)
    given = chosen.with_columns(
        honour=pl.Series(honour), awarded=pl.Series(days(rng, "2012-01-01", str(scene.horizon), len(chosen)))
    )
    highest = people.persons.filter(pl.col("level").is_in(list(APPOINTED))).join(
        work, on="person", maintain_order="left"
    )
    appointed = highest.with_columns(
        honour=pl.col("level").replace_strict(APPOINTED, return_dtype=pl.String),
        awarded=pl.Series(days(rng, "2022-06-01", str(scene.horizon), len(highest))),
    )
    every = pl.concat([given, appointed]).unique(["person", "honour"], keep="first", maintain_order=True)
    ended = every["awarded"].to_numpy() + rng.integers(200, 4_000, len(every))
    ended = np.where(rng.random(len(every)) < SHARE_ENDED, ended, NOT_A_DATE)
    return (
        every.select(
            "person", "id_type", "resident_id", "honour", "awarded", "uscc", county="work", ended=pl.Series(ended)
        )
        .sort("honour", "awarded", "person")
        .with_columns(entry=pl.int_range(1, pl.len() + 1))
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    is_national = pl.col("honour").is_in(NATIONAL)
    is_appointed = pl.col("honour").is_in(list(APPOINTED.values()))
    level = pl.when(is_national).then(pl.lit("国家级")).when(is_appointed).then(pl.lit("企业聘任"))
    known = pl.when(pl.col("ended") <= last).then("ended").alias("ended")
    return entries.filter(pl.col("awarded") <= last).with_columns(known).select(
        "entry",
        person_name=pl.format("合成工匠{}", "person"),
        id_type="id_type",
        resident_id="resident_id",
        honour="honour",
        honour_level=level.otherwise(pl.lit("省级")),
        awarded_on=day("awarded"),
        uscc="uscc",
        county_code=county_code("county"),
        ended_on=day("ended"),
    )  # fmt: skip


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a year."""
    listing = Listing(NAME, honours(scene), kinds(), as_listed)
    return workbooks(scene, listing, years(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, year: Span) -> list[Sheet]:
    return [table(f"{year.key}年名单", "浙派工匠梯队与国家级荣誉名单", HEADER, rows)]


FEED = Feed(NAME, Drop(), make, lambda last: [Due(year.last, year.key) for year in years(last)])
