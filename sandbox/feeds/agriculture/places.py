"""agriculture/places (发展轴地点名册与人口): a full list a year, CSV with a byte order mark.

Townships and sub-districts with their residents, and the places of the axis among and below them, each as long as it
holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.feeds.lists import Listing, repeated
from sandbox.feeds.model import Consignment, Due, Feed, File, Scene, Sftp
from sandbox.feeds.texts import county_code, day
from sandbox.population import places as population
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.writers.csv_file import CsvLayout, write_csv

NAME = "agriculture/places"
LAYOUT = CsvLayout(
    {
        "place_code": "统计用区划代码", "place_name": "地点名称", "place_kind": "地点类别", "tier": "发展轴层级",
        "county_code": "所属县行政区划代码", "township_name": "所属乡镇(街道)", "population": "常住人口(人)",
        "population_year": "人口年份", "longitude": "经度", "latitude": "纬度", "valid_from": "有效期起",
        "valid_until": "有效期止",
    },
    encoding="utf-8-sig",
)  # fmt: skip
FAR_OUTSIDE = ("longitude_range", "latitude_range", "coordinates_near_county")
LISTED_SINCE = date(2022, 1, 1)
CENSUS = 2020
SHARE_TOWN_LATER, SHARE_VILLAGE_ENDED, SHARE_WITHOUT_COORDINATES = 0.2, 0.05, 0.01


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    placed = filled("longitude") & filled("latitude")
    # Counties from which that place is far.
    inland = placed & pl.col("county_code").str.contains("^33(07|08|11)")
    is_village = pl.col("place_kind") == population.VILLAGE
    return [
        *county_kinds("county_code"),
        *date_kinds("valid_from"),
        required_kind("place_code"),
        required_kind("valid_from"),
        Kind("place_code_pattern", ("place_code_pattern",), each_text("place_code", lambda text: text[:-3]), ANY),
        code_kind("place_kind", "9", ~is_village),
        code_kind("tier", "05"),
        Kind("village_off_the_axis", ("tier_required",), put(tier=""), is_village),
        Kind(
            "township_without_residents", ("population_required",), put(population="", population_year=""), ~is_village
        ),
        Kind("population_without_year", ("population_year_together",), put(population_year=""), filled("population")),
        Kind("population_no_number", ("population_type",), put(population="约3万"), ANY),
        Kind("population_full_width", (), full_width("population"), filled("population"), 1, "full_width"),
        Kind(
            "coordinates_swapped", FAR_OUTSIDE,
            put(longitude=pl.col("latitude"), latitude=pl.col("longitude")), placed, 4,
        ),
        Kind(
            "outside_the_province", FAR_OUTSIDE, put(longitude="116.4074", latitude="39.9042"), placed, 2,
        ),
        Kind("beside_the_province", ("coordinates_near_county",), put(longitude="121.9", latitude="31.4"), inland, 2),
        Kind("latitude_missing", ("coordinates_together",), put(latitude=""), placed),
        Kind("ends_before_it_begins", ("dates_in_order",), put(valid_until="2015-01-01"), ANY),
        *missing_word_kinds("tier"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(place_name="另一地点"), ANY, 1, "", "conflict"),
    ]  # fmt: skip


def places(scene: Scene) -> pl.DataFrame:
    """All places ever listed, typed; `population` is of `population_year`, `valid_until` the last day."""
    seed = scene.parameters.seed
    rng = scene.stream(NAME, 1)
    towns = population.townships(seed).with_columns(village=pl.lit(0, pl.Int64), place_kind="kind")
    number = len(towns)
    becomes = days(rng, "2023-01-01", str(scene.horizon), number)
    later = pl.Series(rng.random(number) < SHARE_TOWN_LATER) & (towns["tier"] == population.AXIS_CENTRAL_TOWN)
    towns = towns.with_columns(later=later, becomes=pl.Series(becomes))
    open_end = pl.lit(None, pl.Date)
    since = pl.when("later").then("becomes").otherwise(pl.lit(LISTED_SINCE))
    standing = towns.with_columns(valid_from=since, valid_until=open_end)
    before = towns.filter("later").with_columns(
        tier=pl.lit(""), valid_from=pl.lit(LISTED_SINCE), valid_until=pl.col("becomes").dt.offset_by("-1d")
    )
    villages = population.key_villages(seed).with_columns(
        place_kind=pl.lit(population.VILLAGE), tier=pl.lit(population.AXIS_KEY_VILLAGE)
    )
    begun = days(rng, str(LISTED_SINCE), "2026-06-30", len(villages))
    lasts = begun + rng.integers(200, 900, len(villages))
    ended = np.where(rng.random(len(villages)) < SHARE_VILLAGE_ENDED, lasts, NOT_A_DATE)
    villages = villages.with_columns(valid_from=pl.Series(begun), valid_until=pl.Series(ended))
    columns = (
        "county", "township", "village", "place_kind", "tier", "population", "longitude", "latitude", "valid_from",
        "valid_until",
    )  # fmt: skip
    every = pl.concat([frame.select(columns) for frame in (standing, before, villages)]).sort(
        "county", "township", "village", "valid_from"
    )
    unknown = pl.Series(rng.random(len(every)) < SHARE_WITHOUT_COORDINATES)
    return every.with_columns(
        pl.when(~unknown).then(pl.col("longitude", "latitude").round(4)),
        population_year=pl.lit(CENSUS),
        entry=pl.concat_str(
            population.place_code(county_code("county"), "township", "village"), day("valid_from"), separator="|"
        ),
    )


def as_listed(frame: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text; `entry` tells its rows apart."""
    ended = pl.col("valid_until") <= last
    name = pl.when(pl.col("village") == 0).then(pl.lit("")).otherwise(pl.format("合成{}村", pl.col("village")))
    return frame.filter(pl.col("valid_from") <= last).select(
        place_code=population.place_code(county_code("county"), "township", "village"),
        place_name=pl.concat_str(population.township_name("township"), name),
        place_kind="place_kind",
        tier="tier",
        county_code=county_code("county"),
        township_name=population.township_name("township"),
        population=pl.col("population").cast(pl.String),
        population_year=pl.col("population_year").cast(pl.String),
        longitude=pl.col("longitude").cast(pl.String).fill_null(""),
        latitude=pl.col("latitude").cast(pl.String).fill_null(""),
        valid_from=day("valid_from"),
        valid_until=pl.when(ended).then(day("valid_until")).otherwise(pl.lit("")),
        entry="entry",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One list a year; the same places are dirty in each, so that a refused one is never half known."""
    listing = Listing(NAME, places(scene), kinds(), as_listed)
    for year, rows in repeated(scene, listing, years(scene.horizon)):
        yield Consignment(Due(year.last, year.key), rows, _files(year))


def _files(year: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        path = f"places/places_{year.key}.csv"
        return [File(path, lambda target: write_csv(rows, target, LAYOUT), pl.col("_key"))]

    return files


FEED = Feed(NAME, Sftp(), make, lambda last: [Due(year.last, year.key) for year in years(last)])
