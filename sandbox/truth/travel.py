"""How long it takes from a township to a training site, by the written assumptions."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas

EARTH_RADIUS_KM = 6371.0088
# Detour factor, km/h, and minutes on a ferry.
PLAIN, MOUNTAIN = (1.3, 40.0, 0.0), (1.6, 30.0, 0.0)
BRIDGED_ISLAND, ISLAND = (1.5, 35.0, 0.0), (1.4, 30.0, 30.0)
WITH_FERRIES = ("330903", "330921", "330922")


def _terrains() -> NDArray[np.float64]:
    """Detour factor, speed and ferry of each county, by its index."""
    columns = areas.counties().select("county_code", "is_island", "is_mountain_26")
    return np.array([
        ISLAND if code in WITH_FERRIES else BRIDGED_ISLAND if island else MOUNTAIN if mountain else PLAIN
        for code, island, mountain in columns.iter_rows()
    ])  # fmt: skip


def minutes_between(towns: pl.DataFrame, sites: pl.DataFrame) -> NDArray[np.float64]:
    """Minutes from each of *towns* to each of *sites*, by `county`, `township`, `longitude` and `latitude`."""
    here, there = (_on_the_sphere(frame) for frame in (towns, sites))
    terrains = _terrains()
    ferry = terrains[:, 2]
    found = np.empty((len(towns), len(sites)))
    site_county, site_township = sites["county"].to_numpy(), sites["township"].to_numpy()
    for number, (county, township) in enumerate(towns.select("county", "township").iter_rows()):
        chord = np.linalg.norm(there - here[number], axis=1)
        straight_km = 2 * EARTH_RADIUS_KM * np.arcsin(chord / 2)
        detour, speed, _ = terrains[county]
        is_elsewhere = (site_county != county) | (site_township != township)
        across = np.where(is_elsewhere, np.maximum(ferry[county], ferry[site_county]), 0)
        found[number] = straight_km * detour / speed * 60 + across
    return found


def _on_the_sphere(places: pl.DataFrame) -> NDArray[np.float64]:
    """The places as points of the unit sphere."""
    longitude, latitude = (np.radians(places[column].to_numpy()) for column in ("longitude", "latitude"))
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
