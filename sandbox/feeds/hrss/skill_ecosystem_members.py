"""hrss/skill_ecosystem_members (生态圈成员企业): a full list a quarter, on a sheet of the workbook of ecosystems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import quarters
from sandbox.dirt.kinds import ANY, Kind, date_kinds, each_text, flip_last, full_width, put, required_kind
from sandbox.feeds.hrss.skill_ecosystems import WORKBOOK, dues, ecosystems, numbered
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Feed, Page, Scene
from sandbox.feeds.texts import day
from sandbox.population.codes import NOT_A_DATE
from sandbox.population.employers import pick

NAME = "hrss/skill_ecosystem_members"
SHEET = "成员企业"
HEADER = {
    "ecosystem_id": "生态圈编号", "member_uscc": "成员企业统一社会信用代码", "joined_on": "加入日期",
    "left_on": "退出日期",
}  # fmt: skip
EVER_MEMBERS = 2_400
SHARE_LEFT, SHARE_BACK_AGAIN = 0.12, 0.3


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *date_kinds("joined_on"),
        required_kind("ecosystem_id"),
        required_kind("member_uscc"),
        Kind("left_before_joined", ("dates_in_order",), put(left_on="2011-01-01"), ANY),
        Kind("ecosystem_id_full_width", (), full_width("ecosystem_id"), ANY, 1, "full_width"),
        Kind("member_check", ("uscc_check_digit",), each_text("member_uscc", flip_last), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(left_on="2035-12-31"), ANY, 1, "", "conflict"),
    ]


def members(scene: Scene) -> pl.DataFrame:
    """All memberships ever, typed: `ecosystem` is an ecosystem's entry, `employer` an index; some came back."""
    rng = scene.stream(NAME, 1)
    known, employers = ecosystems(scene), scene.people.employers
    chosen = known[rng.integers(0, len(known), scene.parameters.listed(EVER_MEMBERS))]
    number = len(chosen)
    joined = chosen["approved"].to_numpy() + (rng.exponential(120, number)).astype(int)
    has_left = rng.random(number) < SHARE_LEFT
    left = np.where(has_left, joined + rng.integers(60, 500, number), NOT_A_DATE)
    employer = pick(chosen["county"].to_numpy(), employers, rng)
    every = (
        pl.DataFrame({"ecosystem": chosen["entry"], "employer": employer, "joined": joined, "left": left})
        .cast({"joined": pl.Date, "left": pl.Date})
        .unique(["ecosystem", "employer"], keep="first", maintain_order=True)
    )
    back = every.filter(pl.col("left").is_not_null() & pl.Series(rng.random(len(every)) < SHARE_BACK_AGAIN))
    again = back.with_columns(joined=pl.col("left") + pl.duration(days=90), left=pl.lit(None, pl.Date))
    whole = pl.concat([every, again]).sort("ecosystem", "employer", "joined")
    return whole.with_columns(entry=pl.int_range(1, pl.len() + 1), uscc=employers["uscc"].gather(whole["employer"]))


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    known = pl.when(pl.col("left") <= last).then("left").alias("left")
    return entries.filter(pl.col("joined") <= last).with_columns(known).select(
        "entry",
        ecosystem_id=numbered("ecosystem"),
        member_uscc="uscc",
        joined_on=day("joined"),
        left_on=day("left"),
    )  # fmt: skip


def make(scene: Scene) -> Iterator[Page]:
    """One page a quarter."""
    listing = Listing(NAME, members(scene), kinds(), as_listed)
    spans = quarters(scene.horizon)
    return pages(scene, listing, spans, lambda rows, _: [table(SHEET, "行业技能生态圈成员企业", HEADER, rows)])


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
