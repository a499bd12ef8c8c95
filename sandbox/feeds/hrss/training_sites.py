"""hrss/training_sites (培训基地站点): the full list as it stands, through the gateway in another paging convention.

Not scaled beyond the default size.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import FIRST_MONTH
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
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import DataSet, Feed, Scene, Versions
from sandbox.feeds.paging import StartAndCount
from sandbox.feeds.texts import county_code, day, moment
from sandbox.population import places
from sandbox.population.codes import NOT_A_DATE, days

NAME = "hrss/training_sites"
FIELDS = {
    "site_id": "siteId", "site_name": "siteName", "site_type": "siteType", "tier": "tier",
    "county_code": "countyCode", "township_name": "townshipName", "place_code": "placeCode", "longitude": "longitude",
    "latitude": "latitude", "uscc": "uscc", "workplaces": "workplaces", "status": "status", "opened_on": "openedOn",
    "closed_on": "closedOn",
}  # fmt: skip
EVER_OPENED = 6_000
SHARE_WITHOUT_COORDINATES = 0.04


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    placed = filled("longitude") & filled("latitude")
    return [
        *county_kinds("county_code"),
        *date_kinds("opened_on"),
        required_kind("site_id"),
        required_kind("county_code"),
        Kind("site_id_pattern", ("site_id_pattern",), each_text("site_id", lambda text: text[:-1]), ANY),
        code_kind("tier", "04"),
        code_kind("status", "2"),
        Kind("closed_before_opened", ("dates_in_order",), put(closed_on="2015-01-01"), pl.col("status") == "0", 2),
        Kind("workplaces_no_number", ("workplaces_type",), put(workplaces="若干"), ANY),
        Kind("workplaces_full_width", (), full_width("workplaces"), filled("workplaces"), 1, "full_width"),
        Kind(
            "coordinates_swapped", (),
            put(longitude=pl.col("latitude"), latitude=pl.col("longitude")), placed, 4, "coordinates",
        ),
        Kind("longitude_no_number", ("longitude_type",), put(longitude="120°12′"), placed),
        Kind("latitude_missing", ("coordinates_together",), put(latitude=""), placed, 2),
        *missing_word_kinds("place_code"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), filled("uscc")),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(site_name="另一站点"), ANY, 1, "", "conflict"),
    ]  # fmt: skip


def sites(scene: Scene) -> pl.DataFrame:
    """All sites ever opened, typed, each at a place of the axis."""
    rng = np.random.default_rng([scene.parameters.seed, 89])
    area, table = areas.load(), areas.counties()
    number = scene.parameters.listed(EVER_OPENED)
    county = rng.choice(len(area.codes), number, p=0.5 * area.weight + 0.5 / len(area.codes))
    opened = days(rng, "2018-03-01", str(scene.horizon), number)
    closed = opened + rng.integers(200, 2_500, number)
    closed = np.where((rng.random(number) < 0.06) & (closed <= np.datetime64(scene.horizon)), closed, NOT_A_DATE)
    which = rng.integers(0, 1 << 30, number)
    tier = rng.choice(np.array(["01", "02", "03"]), number, p=[0.25, 0.35, 0.4])
    # A district has no seat: what would stand there stands in a central town.
    is_district = (table["division_type"] == "district").to_numpy()[county]
    tier = np.where(is_district & (tier == "01"), "02", tier)
    known = rng.random(number) >= SHARE_WITHOUT_COORDINATES
    operators = scene.people.employers["uscc"].to_numpy()[rng.integers(0, len(scene.people.employers), number)]
    seconds = rng.integers(9 * 3600, 17 * 3600, number)
    entered = (opened + rng.integers(1, 20, number)).astype("datetime64[s]") + seconds
    ended = (closed + 2).astype("datetime64[s]") + seconds
    opened_ever = pl.DataFrame(
        {
            "number": np.arange(1, number + 1),
            "county": county,
            "tier": tier,
            "which": which,
            "is_base": rng.random(number) < 0.2,
            "is_placed": known,
            "east": rng.uniform(-0.01, 0.01, number),
            "north": rng.uniform(-0.01, 0.01, number),
            "uscc": np.where(rng.random(number) < 0.7, operators, ""),
            "workplaces": rng.integers(10, 240, number),
            "has_place_code": rng.random(number) < 0.9,
            "opened_on": opened,
            "closed_on": closed,
            "entered_at": entered.astype("datetime64[us]"),
            "ended_at": ended.astype("datetime64[us]"),
        },
    ).filter(pl.col("entered_at").dt.date() <= scene.horizon)
    there = places.axis(scene.parameters.seed).with_columns(
        place=pl.int_range(pl.len()).over("county", "tier"), choices=pl.len().over("county", "tier")
    )
    counted = there.select("county", "tier", "choices").unique()
    chosen = opened_ever.join(counted, on=["county", "tier"], maintain_order="left").with_columns(
        place=pl.col("which") % pl.col("choices")
    )
    return chosen.join(there.drop("choices"), on=["county", "tier", "place"], maintain_order="left").with_columns(
        longitude=pl.when("is_placed").then((pl.col("longitude") + pl.col("east")).round(4)),
        latitude=pl.when("is_placed").then((pl.col("latitude") + pl.col("north")).round(4)),
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Sites in their last state, as the department writes them."""
    name = pl.col("county").replace_strict(dict(enumerate(areas.load().names)), return_dtype=pl.String)
    digits = pl.col("number").cast(pl.String).str.zfill(8)
    closed = pl.col("closed_on").is_not_null()
    return frame.select(
        site_id=pl.format("ZD{}", digits),
        site_name=pl.format("{}合成站点{}", name, pl.col("number")),
        site_type=pl.when("is_base").then(pl.lit("01")).otherwise(pl.lit("02")),
        tier="tier",
        county_code=county_code("county"),
        township_name=places.township_name("township"),
        place_code=pl.when("has_place_code")
        .then(places.place_code(county_code("county"), "township", "village"))
        .otherwise(pl.lit("")),
        longitude=pl.col("longitude").cast(pl.String).fill_null(""),
        latitude=pl.col("latitude").cast(pl.String).fill_null(""),
        uscc="uscc",
        workplaces=pl.col("workplaces").cast(pl.String),
        status=pl.when(closed).then(pl.lit("0")).otherwise(pl.lit("1")),
        opened_on=day("opened_on"),
        closed_on=day("closed_on"),
        _entered_at=moment("entered_at"),
        _ended_at=moment("ended_at").fill_null(""),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each site and, for closed ones, the open state before it."""
    closed = pl.col("status") == "0"
    typed = sites(scene)
    current = rows(typed).with_columns(
        _key="site_id",
        _from=pl.when(closed).then("_ended_at").otherwise("_entered_at"),
        _until=pl.lit(""),
    )
    opened = current.filter(closed & (pl.col("_entered_at") < pl.col("_ended_at"))).with_columns(
        status=pl.lit("1"), closed_on=pl.lit(""), _from="_entered_at", _until="_ended_at", **CLEAN
    )
    # What was open before may only become wrong where it was closed before the window: nobody here saw it open.
    before = pl.col("_ended_at") < f"{FIRST_MONTH}"
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~closed | before)
    scene.accepted[NAME] = not_refused(typed.with_columns(key=current["_key"]), spoilt, "key")
    yield Versions(pl.concat([spoilt, opened]))


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.training_sites",
        fields=FIELDS,
        order=("siteId",),
        paging=StartAndCount("STARTNUM", "PAGENUM", largest=1_000),
        page_interface="getlist",
        records="list",
    ),
    make,
)
