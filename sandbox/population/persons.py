"""Persons: where they live and work, what they can do."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas, identifiers
from sandbox.population.codes import (
    INDUSTRIES,
    INDUSTRY_SHARE,
    LEVELS,
    OCCUPATIONS,
    SHARE_HIGH_OF_SKILLED,
    SHARE_SKILLED,
    coded,
)


def make(number: int, rng: np.random.Generator) -> pl.DataFrame:
    area = areas.load()
    county = rng.choice(len(area.codes), number, p=area.weight)
    order = np.arange(number)
    # Residence: mostly the county of work, else one of the same city, else anywhere.
    residence = county.copy()
    draw = rng.random(number)
    by_city = [np.flatnonzero(area.city_index == city) for city in range(area.city_index.max() + 1)]
    for city, members in enumerate(by_city):
        rows = np.flatnonzero((draw >= 0.82) & (draw < 0.94) & (area.city_index[county] == city))
        residence[rows] = rng.choice(members, len(rows))
    far = np.flatnonzero(draw >= 0.94)
    residence[far] = rng.choice(len(area.codes), len(far), p=area.weight)
    rural = rng.random(number) < area.rural_share[residence]
    age_days = (rng.beta(1.7, 1.9, number) * 43 * 365.25).astype(int)
    birth = np.datetime64("2006-06-30") - age_days
    male = rng.random(number) < 0.54
    calendar = birth.astype("datetime64[D]").astype(object)
    numeric = np.array([day.year * 10000 + day.month * 100 + day.day for day in calendar], dtype=np.int64)
    rank = _rank_within(numeric * 2 + male)
    serial, block = (rank % 500) * 2 + male, rank // 500
    foreign = rng.random(number)
    id_type = np.where(foreign < 0.003, "02", np.where(foreign < 0.006, "03", "01"))
    document = identifiers.resident_ids(numeric, serial, block)
    document = np.where(
        id_type == "02", coded("H", order, 8), np.where(id_type == "03", coded("E", order, 8), document)
    )
    propensity = np.where(rural, 0.78, 1.08) * area.skill_factor[county]
    skilled = rng.random(number) < np.clip(SHARE_SKILLED * propensity / propensity.mean(), 0, 0.95)
    only_special = rng.random(number) < 0.08
    high = rng.random(number) < SHARE_HIGH_OF_SKILLED / 0.92
    low_level = rng.choice(LEVELS[:2], number, p=[0.53, 0.47])
    high_level = rng.choice(LEVELS[2:], number, p=[0.69, 0.21, 0.09, 0.007, 0.003])
    level = np.where(only_special, "special", np.where(high, high_level, low_level))
    return pl.DataFrame(
        {
            "person": order.astype(np.int64),
            "id_type": id_type,
            "resident_id": document,
            "birth": birth,
            "male": male,
            "county": county,
            "residence": residence,
            "residence_kind": np.where(rural, "2", "1"),
            "industry": rng.choice(len(INDUSTRIES), number, p=INDUSTRY_SHARE / INDUSTRY_SHARE.sum()),
            "level": np.where(skilled, level, "none"),
            "occupation": rng.choice(OCCUPATIONS, number),
            "wage_noise": np.exp(rng.normal(0, 0.27, number)),
            "insured": rng.random(number) < 0.76,
        }
    )


def _rank_within(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each element how many equal elements stand before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.arange(len(values)) - np.repeat(starts, np.diff(np.r_[starts, len(values)]))
    result = np.empty(len(values), dtype=np.int64)
    result[order] = rank
    return result
