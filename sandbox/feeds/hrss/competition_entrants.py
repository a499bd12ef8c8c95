"""hrss/competition_entrants (参赛选手): a full list a year, on a sheet of the workbook of competitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import years
from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    identity_kinds,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.feeds.hrss.competitions import FIRST_HELD, WORKBOOK, competitions, dues, numbered
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Feed, Page, Scene
from sandbox.feeds.texts import county_code, day

NAME = "hrss/competition_entrants"
SHEET = "参赛选手"
HEADER = {
    "competition_id": "竞赛编号", "person_name": "选手姓名", "id_type": "证件类型", "resident_id": "证件号码",
    "uscc": "所在单位统一社会信用代码", "county_code": "单位行政区划代码", "entered_on": "参赛日期",
    "certificate_number": "晋级证书编号",
}  # fmt: skip
ENTRANTS_A_YEAR, LEAST_A_YEAR = 50_000, 200
SHARE_CERTIFIED, SHARE_WITHOUT_COUNTY = 0.2, 0.04


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *identity_kinds(),
        *county_kinds("county_code"),
        *date_kinds("entered_on"),
        required_kind("competition_id"),
        *missing_word_kinds("certificate_number"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), filled("uscc")),
        Kind("name_with_number", ("identity_in_text",), put(person_name=pl.format("选手{}", "resident_id")), RESIDENT),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(entered_on="2024-01-02"), ANY, 1, "", "conflict"),
    ]


def entrants(scene: Scene) -> pl.DataFrame:
    """All who ever entered, typed: `competition` is a competition's entry, `county` a place in `areas.all_codes`.

    Some gained a certificate by it, the number of which stands beside.
    """
    rng = scene.stream(NAME, 1)
    people, held = scene.people, competitions(scene)
    years_long = (scene.horizon - FIRST_HELD).days / 365.25
    number = round(max(ENTRANTS_A_YEAR * scene.parameters.scale, LEAST_A_YEAR) * years_long)
    plain = pl.DataFrame(
        {
            "competition": rng.choice(held["entry"].to_numpy(), number),
            "person": rng.integers(0, len(people.persons), number),
            "certificate_number": [""] * number,
        }
    )
    gained = _gained(scene, held, round(number * SHARE_CERTIFIED), rng)
    work = people.spells.group_by("person", maintain_order=True).agg(pl.col("uscc", "work").first())
    every = (
        pl.concat([gained, plain])
        .unique(["competition", "person"], keep="first", maintain_order=True)
        .join(held.select("held", competition="entry"), on="competition", how="left", maintain_order="left")
        .join(people.persons.select("person", "id_type", "resident_id"), on="person", how="left", maintain_order="left")
        .join(work, on="person", how="left", maintain_order="left")
        .sort("held", "competition", maintain_order=True)
    )
    is_unsaid = pl.Series(rng.random(len(every)) < SHARE_WITHOUT_COUNTY)
    return every.with_columns(
        entry=pl.int_range(1, pl.len() + 1),
        entered=every["held"]
        + pl.Series(rng.integers(0, 3, len(every)).astype("timedelta64[D]").astype("timedelta64[ms]")),
        county=pl.when(is_unsaid).then(None).otherwise("work"),
    ).drop("work")


def _gained(scene: Scene, held: pl.DataFrame, number: int, rng: np.random.Generator) -> pl.DataFrame:
    """Entries by which a level certificate was gained: that of the last competition some days before its issue."""
    days = held["held"].to_numpy()
    issued = scene.people.certificates.filter(
        (pl.col("certificate_type") == "01") & (pl.col("issued_on") > days[0] + np.timedelta64(10, "D"))
        & (pl.col("issued_on") <= scene.horizon)
    ).sort("certificate_number")  # fmt: skip
    issued = issued[np.sort(rng.permutation(len(issued))[:number])]
    place = np.searchsorted(days, issued["issued_on"].to_numpy() - np.timedelta64(10, "D"), side="right") - 1
    return pl.DataFrame(
        {
            "competition": held["entry"].to_numpy()[np.maximum(place, 0)],
            "person": issued["person"],
            "certificate_number": issued["certificate_number"],
        }
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    return entries.filter(pl.col("held") <= last).select(
        "entry",
        competition_id=numbered("competition"),
        person_name=pl.format("合成选手{}", "person"),
        id_type="id_type",
        resident_id="resident_id",
        uscc=pl.col("uscc").fill_null(""),
        county_code=pl.when(pl.col("county").is_null()).then(pl.lit("")).otherwise(county_code("county")),
        entered_on=day("entered"),
        certificate_number="certificate_number",
    )


def make(scene: Scene) -> Iterator[Page]:
    """One page a year."""
    listing = Listing(NAME, entrants(scene), kinds(), as_listed)
    return pages(scene, listing, years(scene.horizon), lambda rows, _: [table(SHEET, "参赛选手名单", HEADER, rows)])


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
