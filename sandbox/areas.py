"""The 90 counties with plausible weights and wage factors, and the dated groups of mountain and island counties.

Calibrated to `published/`: employed persons by city (yearbook 2015, seven cities; the other four by remainder)
and urban income
by city (2020 Q1-Q3). Within a city the weights by kind of county are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

HERE = Path(__file__).parent
PROVINCE = "330000"
PROVINCE_OWN_LEVEL = "339900"
OTHER_PROVINCES, UNKNOWN = "OUT", "UNK"
# 万人, for the cities that the yearbook excerpt lacks; with the seven printed ones about 3,750 in all.
REMAINDER_CITIES = {"330700": 400.0, "330800": 130.0, "331000": 400.0, "331100": 140.0}
KIND_WEIGHT = {"district": 1.1, "county-level city": 1.1, "county": 0.55, "autonomous county": 0.3}
KIND_WAGE = {"district": 1.03, "county-level city": 1.0, "county": 0.95, "autonomous county": 0.92}
KIND_RURAL = {"district": 0.17, "county-level city": 0.31, "county": 0.42, "autonomous county": 0.5}
OPEN_END = date(9999, 12, 31)
FIRST_DAY = date(1900, 1, 1)
DATED_LISTS = (
    ("is_mountain_26", FIRST_DAY, date(2024, 8, 1)),
    ("is_mountain_island_25_from_202408", date(2024, 8, 1), date(2025, 5, 28)),
    ("is_mountain_island_22_from_202505", date(2025, 5, 28), OPEN_END),
)
FIXED_LISTS = (
    ("G-MI26", "is_mountain_26"),
    ("G-MI25", "is_mountain_island_25_from_202408"),
    ("G-MI22", "is_mountain_island_22_from_202505"),
)


@dataclass(frozen=True, slots=True)
class Areas:
    """Counties in order of code; arrays are aligned with `codes`."""

    codes: list[str]
    names: list[str]
    city_names: list[str]
    weight: NDArray[np.float64]
    wage_factor: NDArray[np.float64]
    rural_share: NDArray[np.float64]
    skill_factor: NDArray[np.float64]
    city_index: NDArray[np.int64]


@cache
def counties() -> pl.DataFrame:
    """The county table, one row a county."""
    return pl.read_csv(
        HERE / "reference" / "counties.csv", schema_overrides={"county_code": pl.String, "city_code": pl.String}
    )


@cache
def load() -> Areas:
    """Counties with weights (sum 1), wage factors (province about 1) and rural shares."""
    table = counties()
    employed = pl.read_csv(
        HERE / "published" / "zj_city_main_2015_partial.csv", schema_overrides={"area_code": pl.String}
    )
    by_city = dict(zip(employed["area_code"], employed["employed_persons_10k"], strict=True)) | REMAINDER_CITIES
    income = pl.read_csv(HERE / "published" / "zj_city_income_2020q1q3.csv", schema_overrides={"area_code": pl.String})
    urban = dict(zip(income["area_code"], income["income_urban_yuan"], strict=True))
    kinds = table["division_type"].to_list()
    cities = table["city_code"].to_list()
    mountain = table["is_mountain_26"].to_numpy() == 1
    island = table["is_island"].to_numpy() == 1
    weight = np.array([KIND_WEIGHT[kind] for kind in kinds]) * np.where(mountain, 0.8, 1.0) * np.where(island, 0.5, 1.0)
    for city in set(cities):
        members = np.array([code == city for code in cities])
        weight[members] *= by_city[city] / weight[members].sum()
    weight /= weight.sum()
    wage = np.array([urban[city] / urban[PROVINCE] * KIND_WAGE[kind] for city, kind in zip(cities, kinds, strict=True)])
    wage = np.where(mountain, wage * 0.94, wage)
    distinct = sorted(set(cities))
    return Areas(
        codes=table["county_code"].to_list(),
        names=table["county_name"].to_list(),
        city_names=table["city_name"].to_list(),
        weight=weight,
        wage_factor=wage / (wage * weight).sum(),
        rural_share=np.clip(np.array([KIND_RURAL[kind] for kind in kinds]) + np.where(mountain, 0.06, 0.0), 0, 0.6),
        skill_factor=np.where(mountain, 0.78, 1.0),
        city_index=np.array([distinct.index(city) for city in cities]),
    )


@cache
def all_codes() -> list[str]:
    """The counties' codes, and behind them what is no county: 省外, 不详, 省本级 and the cities' 市本级."""
    cities = sorted(set(counties()["city_code"]))
    return [*load().codes, OTHER_PROVINCES, UNKNOWN, PROVINCE_OWN_LEVEL, *(own_level_of(city) for city in cities)]


def own_level_of(city_or_county: str) -> str:
    """The code of a city's own level (市本级)."""
    return f"{city_or_county[:4]}99"


def area_of(division: pl.Expr) -> pl.Expr:
    """The area that a code of a division stands for: another province's is 省外, a missing one 不详."""
    known = pl.when(division.str.starts_with("33")).then(division).otherwise(pl.lit(OTHER_PROVINCES))
    return pl.when(division == "").then(pl.lit(UNKNOWN)).otherwise(known)


def index_of(area: pl.Expr) -> pl.Expr:
    """Place of an area's code in `all_codes`."""
    return area.replace_strict({code: number for number, code in enumerate(all_codes())}, return_dtype=pl.Int64)


def area_member() -> pl.DataFrame:
    """area_code, area_level, county_code, valid_from, valid_to (exclusive): counties, cities, province and groups.

    What is no county is a member of the province, a city's own level of its city too.
    """
    table = counties()
    others = pl.DataFrame({"county_code": all_codes()[len(table) :]})
    of_cities = others.filter(~pl.col("county_code").is_in([OTHER_PROVINCES, UNKNOWN, PROVINCE_OWN_LEVEL]))
    frames = [
        table.select(area_code="county_code", area_level=pl.lit("county"), county_code="county_code"),
        table.select(area_code="city_code", area_level=pl.lit("city"), county_code="county_code"),
        table.select(area_code=pl.lit(PROVINCE), area_level=pl.lit("province"), county_code="county_code"),
        others.select(area_code="county_code", area_level=pl.lit("other"), county_code="county_code"),
        others.select(area_code=pl.lit(PROVINCE), area_level=pl.lit("province"), county_code="county_code"),
        of_cities.select(
            area_code=pl.col("county_code").str.slice(0, 4) + "00",
            area_level=pl.lit("city"),
            county_code="county_code",
        ),
    ]
    dated = [frame.with_columns(valid_from=pl.lit(FIRST_DAY), valid_to=pl.lit(OPEN_END)) for frame in frames]
    groups = [("G-MI", column, begin, end) for column, begin, end in DATED_LISTS]
    groups += [(name, column, FIRST_DAY, OPEN_END) for name, column in FIXED_LISTS]
    for name, column, begin, end in groups:
        dated.append(
            table.select(
                area_code=pl.when(pl.col(column) == 1).then(pl.lit(name)).otherwise(pl.lit(f"{name}-REST")),
                area_level=pl.lit("group"),
                county_code="county_code",
                valid_from=pl.lit(begin),
                valid_to=pl.lit(end),
            )
        )
    return pl.concat(dated)
