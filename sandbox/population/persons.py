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

SHARE_FROM_ELSEWHERE = 1 / 3
# Of those who work here, some live in another province, and of some no department knows where they live.
SHARE_LIVING_ELSEWHERE, SHARE_RESIDENCE_UNKNOWN = 0.02, 0.03
SHARE_RURAL_OF_THOSE_FROM_ELSEWHERE = 0.7
# 统计用城乡分类代码 of the places where people live: towns and cities, and the country.
URBAN_CODES = {"111": 0.55, "112": 0.12, "121": 0.24, "122": 0.08, "123": 0.01}
RURAL_CODES = {"210": 0.12, "220": 0.88}
# Counties of other provinces that many workers of Zhejiang come from, in percent of all who do (assumed): 安徽, 江西,
# 河南, 贵州, 四川, 湖南, 湖北, 云南, 重庆, 江苏, 福建.
ELSEWHERE = {
    "341522": 9, "341621": 8, "340826": 6, "361128": 9, "361124": 6, "360730": 4, "411625": 7, "411628": 5, "411728": 5,
    "520526": 6, "522625": 5, "511324": 5, "511722": 4, "430524": 5, "421126": 4, "530627": 5, "500235": 4, "320830": 2,
    "350125": 1,
}  # fmt: skip


def make_persons(number: int, rng: np.random.Generator) -> pl.DataFrame:
    """Persons: `county` is where they work, `residence` where they live, `registration` where they are registered.

    `lives_in` is the code of the residence as the departments have it; it says nothing of where somebody is registered.
    """
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
    drawn = {
        "industry": rng.choice(len(INDUSTRIES), number, p=INDUSTRY_SHARE / INDUSTRY_SHARE.sum()),
        "level": np.where(skilled, level, "none"),
        "occupation": rng.choice(OCCUPATIONS, number),
        "wage_noise": _wage_noise(number, rng),
        "registration": registrations(residence, rng),
        "insured": rng.random(number) < 0.745,
    }
    is_from_elsewhere = ~np.char.startswith(drawn["registration"], "33")
    registered_rural = np.where(is_from_elsewhere, rng.random(number) < SHARE_RURAL_OF_THOSE_FROM_ELSEWHERE, rural)
    lives_in = _as_known(np.array(area.codes)[residence], rng)
    return pl.DataFrame(
        {
            "person": order.astype(np.int64),
            "id_type": id_type,
            "resident_id": document,
            "birth": birth,
            "male": male,
            "county": county,
            "residence": residence,
            "lives_in": lives_in,
            "urban_rural_code": np.where(
                lives_in == "",
                "",
                np.where(rural, _drawn(RURAL_CODES, number, rng), _drawn(URBAN_CODES, number, rng)),
            ),
            "registration_kind": np.where(registered_rural, "2", "1"),
        }
        | drawn
    )


def _wage_noise(number: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """What a person's wage is to that of others alike; one in twenty earns several times as much."""
    noise: NDArray[np.float64] = np.exp(rng.normal(0, 0.3, number))
    return noise * np.where(rng.random(number) < 0.05, rng.uniform(2.2, 4.5, number), 1)


def _drawn(shares: dict[str, float], number: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """So many codes, each as often as its share says."""
    return rng.choice(np.array(list(shares)), number, p=np.array(list(shares.values())))


def registrations(residence: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.str_]:
    """Codes of the counties where households are registered: that of residence, or one of another province.

    A third of the workforce is registered elsewhere, more in cities and districts than in counties.
    """
    area = areas.load()
    pull = np.where(area.rural_share < 0.4, 1.0, 0.45)
    share = SHARE_FROM_ELSEWHERE * pull / (pull * area.weight).sum()
    outside = rng.random(len(residence)) < share[residence]
    return np.where(outside, _elsewhere(len(residence), rng), np.array(area.codes)[residence])


def _elsewhere(number: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """Counties of other provinces."""
    return rng.choice(np.array(list(ELSEWHERE)), number, p=np.array(list(ELSEWHERE.values())) / 100)


def _as_known(residence: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.str_]:
    """Where people live as the departments have it: a few live in another province, of some nobody knows."""
    draw = rng.random(len(residence))
    known = np.where(draw < SHARE_LIVING_ELSEWHERE, _elsewhere(len(residence), rng), residence)
    return np.where(draw >= 1 - SHARE_RESIDENCE_UNKNOWN, "", known)


def _rank_within(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each element how many equal elements stand before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.arange(len(values)) - np.repeat(starts, np.diff(np.r_[starts, len(values)]))
    result = np.empty(len(values), dtype=np.int64)
    result[order] = rank
    return result
