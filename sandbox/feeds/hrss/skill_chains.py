"""hrss/skill_chains (技能生态链): a full list a quarter, on a sheet of the workbook of ecosystems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import quarters
from sandbox.dirt.kinds import ANY, Kind, date_kinds, each_text, filled, put, required_kind
from sandbox.feeds.hrss.skill_ecosystems import WORKBOOK, dues, ecosystems, numbered
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Feed, Page, Scene
from sandbox.feeds.texts import day

NAME = "hrss/skill_chains"
SHEET = "技能生态链"
HEADER = {
    "chain_id": "生态链编号", "chain_name": "生态链名称", "ecosystem_id": "所属生态圈编号", "valid_from": "生效日期",
    "valid_to": "失效日期",
}  # fmt: skip
EVER_BUILT = 520


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *date_kinds("valid_from"),
        required_kind("chain_id"),
        required_kind("chain_name"),
        Kind("chain_id_short", ("chain_id_pattern",), each_text("chain_id", lambda text: text[:-1]), ANY),
        Kind("ecosystem_by_name", ("ecosystem_id_pattern",), put(ecosystem_id="合成生态圈"), filled("ecosystem_id")),
        Kind("ended_before_begun", ("dates_in_order",), put(valid_to="2011-01-01"), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(chain_name="合成链(另名)"), ANY, 1, "", "conflict"),
    ]


def chains(scene: Scene) -> pl.DataFrame:
    """All chains ever built, typed: `ecosystem` is an ecosystem's entry; none outlives it."""
    rng = scene.stream(NAME, 1)
    known = ecosystems(scene)
    chosen = known[np.sort(rng.integers(0, len(known), EVER_BUILT))]
    begun = chosen["approved"].to_numpy() + rng.integers(0, 200, EVER_BUILT)
    return (
        pl.DataFrame(
            {
                "entry": np.arange(1, EVER_BUILT + 1),
                "ecosystem": chosen["entry"],
                "begun": begun,
                "ended": chosen["ended"].to_numpy(),
            }
        )
        .filter(pl.col("ended").is_null() | (pl.col("ended") >= pl.col("begun")))
        .cast({"begun": pl.Date, "ended": pl.Date})
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    known = pl.when(pl.col("ended") <= last).then("ended").alias("ended")
    return entries.filter(pl.col("begun") <= last).with_columns(known).select(
        "entry",
        chain_id=pl.format("SL{}", pl.col("entry").cast(pl.String).str.zfill(8)),
        chain_name=pl.format("合成链{}", "entry"),
        ecosystem_id=numbered("ecosystem"),
        valid_from=day("begun"),
        valid_to=day("ended"),
    )  # fmt: skip


def make(scene: Scene) -> Iterator[Page]:
    """One page a quarter."""
    listing = Listing(NAME, chains(scene), kinds(), as_listed)
    spans = quarters(scene.horizon)
    return pages(scene, listing, spans, lambda rows, _: [table(SHEET, "技能生态链", HEADER, rows)])


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
