"""hrss/skill_villages (技能型乡村(社区)名册): a full list a quarter, a workbook with a header of two merged rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, quarters
from sandbox.dirt.kinds import (
    ABOLISHED,
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    full_width,
    put,
    required_kind,
)
from sandbox.feeds.lists import NOTE, Listing, data_lines, workbooks
from sandbox.feeds.model import Consignment, Drop, Due, Feed, Scene
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE
from sandbox.writers.workbook import Line, Sheet

NAME = "hrss/skill_villages"
HEADER_GROUPS = ("序号", "村(社区)信息", "", "所在地", "", "", "认定情况", "", "", "")
HEADER = {
    "village_name": "村(社区)名称", "village_code": "统计用区划代码", "city_name": "设区市",
    "county_name": "县(市、区)", "county_code": "行政区划代码", "recognised_on": "认定日期",
    "recognition_round": "认定批次", "status": "状态", "revoked_on": "撤销日期",
}  # fmt: skip
MERGED = ("A1:J1", "A2:J2", "A3:A4", "B3:C3", "D3:F3", "G3:J3")
EVER_RECOGNISED = 760
# Recognition comes in rounds, two a year.
ROUNDS = np.array(
    ["2023-06-20", "2023-12-20", "2024-06-20", "2024-12-20", "2025-06-20", "2025-12-19", "2026-06-19", "2026-12-18"],
    dtype="datetime64[D]",
)
SHARE_REVOKED, SHARE_MERGED, SHARE_OLD_CODE = 0.02, 0.02, 0.3


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    code = "village_code"
    return [
        *county_kinds("county_code"),
        *date_kinds("recognised_on"),
        required_kind(code),
        code_kind("status", "认定"),
        Kind("code_of_town", ("village_code_pattern",), each_text(code, lambda text: text[:9]), ANY),
        Kind("code_as_number", ("village_code_pattern",), each_text(code, as_number), ANY),
        Kind("code_full_width", (), full_width(code), ANY, 1, "full_width"),
        Kind("code_apostrophe", (), each_text(code, lambda text: "'" + text), filled(code), 1, "leading_apostrophe"),
        Kind("revoked_without_day", ("revoked_on_given",), put(status="已撤销", revoked_on=""), ANY),
        Kind("revoked_before_recognised", ("dates_in_order",), put(status="已撤销", revoked_on="2018-02-01"), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(recognition_round="第九批"), ANY, 1, "", "conflict"),
    ]  # fmt: skip


def as_number(code: str) -> str:
    """A village's code that a spreadsheet took for a number."""
    return f"{code[0]}.{code[1:6]}E+11"


def villages(scene: Scene) -> pl.DataFrame:
    """All villages ever recognised, typed: `county` is an index; some keep the code of a county that is no more."""
    rng = scene.stream(NAME, 1)
    area, number = areas.load(), scene.parameters.listed(EVER_RECOGNISED)
    weight = area.weight * (0.2 + area.rural_share)
    county = np.sort(rng.choice(len(area.codes), number, p=weight / weight.sum()))
    chosen = rng.choice(len(ROUNDS), number, p=[0.12, 0.13, 0.14, 0.14, 0.14, 0.13, 0.1, 0.1])
    recognised = ROUNDS[chosen]
    fate = rng.random(number)
    ended = recognised + rng.integers(90, 500, number)
    code = np.array(area.codes)[county]
    old = np.array([ABOLISHED.get(text, text) for text in code])
    prefix = np.where(rng.random(number) < SHARE_OLD_CODE, old, code)
    index = np.arange(number)
    village = [
        f"{text}{100 + place // 90 % 90:03d}{200 + place % 90:03d}" for text, place in zip(prefix, index, strict=True)
    ]
    return pl.DataFrame(
        {
            "entry": index + 1,
            "county": county,
            "village_code": village,
            "recognised": recognised,
            "round": chosen + 1,
            "revoked": np.where(fate < SHARE_REVOKED, ended, NOT_A_DATE),
            "merged": np.where(fate > 1 - SHARE_MERGED, ended, NOT_A_DATE),
        }
    )  # fmt: skip


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    area = areas.load()
    is_revoked, is_merged = (pl.col(name) <= last for name in ("revoked", "merged"))
    return entries.filter(pl.col("recognised") <= last).select(
        "entry",
        village_name=pl.format("合成村{}", "entry"),
        village_code="village_code",
        city_name=pl.col("county").replace_strict(dict(enumerate(area.city_names)), return_dtype=pl.String),
        county_name=pl.col("county").replace_strict(dict(enumerate(area.names)), return_dtype=pl.String),
        county_code=county_code("county"),
        recognised_on=day("recognised"),
        recognition_round=pl.format("第{}批", "round"),
        status=pl.when(is_revoked).then(pl.lit("已撤销")).when(is_merged).then(pl.lit("已合并")).otherwise(pl.lit("已认定")),
        revoked_on=pl.when(is_revoked).then(day("revoked")).otherwise(pl.lit("")),
    )  # fmt: skip


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a quarter."""
    listing = Listing(NAME, villages(scene), kinds(), as_listed)
    return workbooks(scene, listing, quarters(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, quarter: Span) -> list[Sheet]:
    """Title, note, a header of two rows, data, a last 合计 row and a note; and the hidden list of a drop-down."""
    last = quarter.last
    said = f"统计截止{last.year}年{last.month}月{last.day}日（合成数据，非真实村庄）"
    lines = [
        Line(["浙江省技能型乡村(社区)名册"]),
        Line([said]),
        Line(list(HEADER_GROUPS)),
        Line(["", *HEADER.values()]),
    ]
    lines += data_lines(rows, HEADER)
    lines += [Line(["合计", f"{len(rows)}个"]), Line([NOTE])]
    states = [Line([state]) for state in ("已认定", "已撤销", "已合并")]
    return [Sheet("技能型乡村名册", lines, merged=MERGED), Sheet("字典", states, state="hidden")]


FEED = Feed(NAME, Drop(), make, lambda last: [Due(quarter.last, quarter.key) for quarter in quarters(last)])
