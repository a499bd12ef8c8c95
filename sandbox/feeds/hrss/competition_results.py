"""hrss/competition_results (竞赛成果转化): a full list a year, on a sheet of the workbook of competitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import years
from sandbox.dirt.kinds import ANY, Kind, code_kind, county_kinds, date_kinds, put, required_kind
from sandbox.feeds.hrss.competitions import WORKBOOK, competitions, dues, numbered
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Feed, Page, Scene
from sandbox.feeds.texts import county_code, day

NAME = "hrss/competition_results"
SHEET = "成果转化"
HEADER = {
    "result_id": "成果编号", "competition_id": "竞赛编号", "kind": "成果类别", "county_code": "牵头单位行政区划代码",
    "dated_on": "转化日期",
}  # fmt: skip
KINDS = np.array(["教学标准", "实训方式", "实训场地"])
EVERY_NTH_COMPETITION = 3


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("county_code"),
        *date_kinds("dated_on"),
        required_kind("result_id"),
        code_kind("kind", "论文"),
        Kind("result_id_other", ("result_id_pattern",), put(result_id="成果一"), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(dated_on="2024-01-02"), ANY, 1, "", "conflict"),
    ]


def results(scene: Scene) -> pl.DataFrame:
    """All results ever put to use, typed: `competition` is a competition's entry, `leading` the area that leads."""
    rng = scene.stream(NAME, 1)
    chosen = competitions(scene)[::EVERY_NTH_COMPETITION]
    dated = chosen["held"].to_numpy() + rng.integers(30, 300, len(chosen))
    return pl.DataFrame(
        {
            "entry": np.arange(1, len(chosen) + 1),
            "competition": chosen["entry"],
            "kind": rng.choice(KINDS, len(chosen)),
            "leading": chosen["host"],
            "dated": dated,
        }
    ).filter(pl.col("dated") <= scene.horizon)


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    return entries.filter(pl.col("dated") <= last).select(
        "entry",
        result_id=pl.format("CG{}", pl.col("entry").cast(pl.String).str.zfill(8)),
        competition_id=numbered("competition"),
        kind="kind",
        county_code=county_code("leading"),
        dated_on=day("dated"),
    )


def make(scene: Scene) -> Iterator[Page]:
    """One page a year."""
    listing = Listing(NAME, results(scene), kinds(), as_listed)
    return pages(scene, listing, years(scene.horizon), lambda rows, _: [table(SHEET, "竞赛成果转化清单", HEADER, rows)])


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
