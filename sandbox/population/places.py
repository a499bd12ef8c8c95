"""Where people live and learn: the townships of each county, and the places of the axis among and below them.

A county that is no district has its seat in its first township; central towns are other townships, key villages lie in
any of them. What has a place of its own in a feed (training sites, schools, workshops) takes it from here.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox import areas

STREAM = 930
TOWNSHIPS = 16
"""Of each county: 1,440 in all; the province has about 1,360 townships and sub-districts."""
SEAT = 1
RESIDENTS = 64_570_000
"""Of the province, by the census of 2020."""
CENTRAL_TOWNS, KEY_VILLAGES = 3, 24
"""Of a county, on the average."""
FIRST_VILLAGE, VILLAGES = 200, 30
"""Numbers of a township's villages; 001 to 199 are its neighbourhoods."""
TOWNSHIP_OF_VILLAGES, TOWN, SUB_DISTRICT, VILLAGE = "1", "2", "3", "4"
AXIS_SEAT, AXIS_CENTRAL_TOWN, AXIS_KEY_VILLAGE = "01", "02", "03"


def townships(seed: int) -> pl.DataFrame:
    """Every township: `county`, `township` (number), `kind`, `tier`, `longitude`, `latitude`, `population`.

    `tier` is empty where a township is no place of the axis. A district has no seat; its first township is a
    sub-district like others.
    """
    rng = np.random.default_rng([seed, STREAM])
    area, table = areas.load(), areas.counties()
    county = np.repeat(np.arange(len(area.codes)), TOWNSHIPS)
    township = np.tile(np.arange(1, TOWNSHIPS + 1), len(area.codes))
    is_district = (table["division_type"] == "district").to_numpy()[county]
    is_first = township == SEAT
    share = rng.lognormal(0, 0.6, len(county)) * np.where(is_first, 2.0, 1.0)
    of_county = np.bincount(county, weights=share)
    towns = rng.integers(1, 2 * CENTRAL_TOWNS, len(area.codes))
    is_town = (township > SEAT) & (township <= SEAT + towns[county])
    drawn = rng.random(len(county))
    kind = np.where(is_town | (is_first & ~is_district) | (drawn < 0.45), TOWN, TOWNSHIP_OF_VILLAGES)
    kind = np.where(is_district & ~is_town & (is_first | (drawn < 0.7)), SUB_DISTRICT, kind)
    tier = np.where(is_town, AXIS_CENTRAL_TOWN, np.where(is_first & ~is_district, AXIS_SEAT, ""))
    return pl.DataFrame(
        {
            "county": county,
            "township": township,
            "kind": kind,
            "tier": tier,
            "longitude": table["centroid_lon"].to_numpy()[county] + rng.uniform(-0.12, 0.12, len(county)),
            "latitude": table["centroid_lat"].to_numpy()[county] + rng.uniform(-0.1, 0.1, len(county)),
            "population": np.round(RESIDENTS * area.weight[county] * share / of_county[county]).astype(int),
        }
    )


def key_villages(seed: int) -> pl.DataFrame:
    """Every key village: `county`, `township`, `village` (number), `longitude`, `latitude`, `population`."""
    rng = np.random.default_rng([seed, STREAM + 1])
    counties = len(areas.load().codes)
    number = rng.integers(KEY_VILLAGES // 2, KEY_VILLAGES * 3 // 2 + 1, counties)
    places = [rng.choice(TOWNSHIPS * VILLAGES, count, replace=False) for count in number]
    chosen = np.concatenate([np.sort(place) for place in places])
    villages = pl.DataFrame(
        {
            "county": np.repeat(np.arange(counties), number),
            "township": chosen // VILLAGES + 1,
            "village": FIRST_VILLAGE + chosen % VILLAGES,
            "east": rng.uniform(-0.03, 0.03, len(chosen)),
            "north": rng.uniform(-0.03, 0.03, len(chosen)),
            "population": np.round(rng.lognormal(7.2, 0.5, len(chosen))).astype(int),
        }
    )
    around = townships(seed).select("county", "township", "longitude", "latitude")
    return villages.join(around, on=["county", "township"], maintain_order="left").select(
        "county",
        "township",
        "village",
        longitude=pl.col("longitude") + pl.col("east"),
        latitude=pl.col("latitude") + pl.col("north"),
        population="population",
    )


def axis(seed: int) -> pl.DataFrame:
    """The places of the axis: `county`, `tier`, `township`, `village` (0 where it is a township), coordinates."""
    columns = ("county", "tier", "township", "village", "longitude", "latitude")
    above = townships(seed).filter(pl.col("tier") != "").with_columns(village=pl.lit(0, pl.Int64))
    below = key_villages(seed).with_columns(tier=pl.lit(AXIS_KEY_VILLAGE))
    return pl.concat([above.select(columns), below.select(columns)]).sort("county", "tier", "township", "village")


def place_code(county: pl.Expr, township: str, village: str) -> pl.Expr:
    """Twelve digits: the county's code, the township's number and the village's."""
    return pl.concat_str(county, *(pl.col(column).cast(pl.String).str.zfill(3) for column in (township, village)))


def township_name(column: str) -> pl.Expr:
    """The name of a township by its number."""
    return pl.format("合成{}镇", pl.col(column))
