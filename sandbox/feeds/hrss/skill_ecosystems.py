"""hrss/skill_ecosystems (行业技能生态圈): a full list a quarter, on a sheet of the workbook of ecosystems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import quarters
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Due, Feed, Page, Scene
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.population.employers import pick
from sandbox.writers.workbook import Line, Sheet

NAME = "hrss/skill_ecosystems"
WORKBOOK = "skill_ecosystems"
SHEET = "生态圈名册"
HEADER = {
    "ecosystem_id": "生态圈编号", "ecosystem_name": "生态圈名称", "county_code": "行政区划代码",
    "leader_uscc": "牵头企业统一社会信用代码", "approved_on": "建成日期", "ended_on": "终止日期",
}  # fmt: skip
EVER_APPROVED = 300
GUIDE = ("行业技能生态圈名册填表说明", "本工作簿三张表：生态圈名册、成员企业、技能生态链（合成数据）")
# One county in so many has none yet.
WITHOUT_EVERY = 9


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("county_code"),
        *date_kinds("approved_on"),
        required_kind("ecosystem_id"),
        Kind("ecosystem_id_short", ("ecosystem_id_pattern",), each_text("ecosystem_id", lambda text: text[:-1]), ANY),
        Kind("ended_before_approved", ("dates_in_order",), put(ended_on="2011-01-01"), ANY),
        Kind("leader_check", ("uscc_check_digit",), each_text("leader_uscc", flip_last), ANY),
        Kind("leader_old_number", ("leader_uscc_pattern",), put(leader_uscc="330100000012345"), filled("leader_uscc")),
        *missing_word_kinds("ended_on"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(ecosystem_name="合成生态圈(另名)"), ANY, 1, "", "conflict"),
    ]


def ecosystems(scene: Scene) -> pl.DataFrame:
    """All ecosystems ever approved, typed: `county` is an index, `leader` the index of an employer."""
    rng = scene.stream(NAME, 1)
    area, employers = areas.load(), scene.people.employers
    first = np.array([index for index in range(len(area.codes)) if index % WITHOUT_EVERY != WITHOUT_EVERY - 1])
    county = np.r_[
        first, rng.choice(first, EVER_APPROVED - len(first), p=area.weight[first] / area.weight[first].sum())
    ]
    approved = days(rng, "2021-06-01", str(scene.horizon), EVER_APPROVED)
    ended = np.where(rng.random(EVER_APPROVED) < 0.06, approved + rng.integers(200, 900, EVER_APPROVED), NOT_A_DATE)
    leader = pick(county, employers, rng)
    return pl.DataFrame(
        {
            "entry": np.arange(1, EVER_APPROVED + 1),
            "county": county,
            "leader": leader,
            "leader_uscc": employers["uscc"].to_numpy()[leader],
            "approved": approved,
            "ended": ended,
        }
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    known = pl.when(pl.col("ended") <= last).then("ended").alias("ended")
    return entries.filter(pl.col("approved") <= last).with_columns(known).select(
        "entry",
        ecosystem_id=numbered("entry"),
        ecosystem_name=pl.format("合成生态圈{}", "entry"),
        county_code=county_code("county"),
        leader_uscc="leader_uscc",
        approved_on=day("approved"),
        ended_on=day("ended"),
    )  # fmt: skip


def numbered(column: str) -> pl.Expr:
    """The number of an ecosystem as it is printed."""
    return pl.format("ST{}", pl.col(column).cast(pl.String).str.zfill(6))


def make(scene: Scene) -> Iterator[Page]:
    """A guide and the list, one page a quarter."""
    guide = Sheet("填表说明", [Line([text]) for text in GUIDE])
    listing = Listing(NAME, ecosystems(scene), kinds(), as_listed)
    spans = quarters(scene.horizon)
    return pages(scene, listing, spans, lambda rows, _: [guide, table(SHEET, "浙江省行业技能生态圈名册", HEADER, rows)])


def dues(last: date) -> list[Due]:
    """One workbook a quarter."""
    return [Due(quarter.last, quarter.key) for quarter in quarters(last)]


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
