"""What counties and cities train for and who trains there: the projects and providers that their directories draw from.

A training names its project and its provider by the codes that stand here.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from sandbox import areas, identifiers
from sandbox.population.codes import OCCUPATIONS
from sandbox.population.schools import schools

STREAM = 940
PROJECTS, PROVIDERS = 16, 12
"""Of each county and of each city, listed or not."""
FIRST_CREDIT_NUMBER = 9_500_000
"""Behind all schools, so that no private training school has the unified social credit code of one."""


@cache
def directory_areas() -> list[str]:
    """Codes of the counties and, behind them, of the cities: each may have directories of its own."""
    return [*areas.load().codes, *sorted(set(areas.counties()["city_code"]))]


@cache
def projects(seed: int) -> pl.DataFrame:
    """Every training project: `area_code`, `number` within the area, `project_code`, `occupation_code`."""
    rng = np.random.default_rng([seed, STREAM])
    codes = directory_areas()
    number = np.tile(np.arange(1, PROJECTS + 1), len(codes))
    return pl.DataFrame(
        {
            "area_code": np.repeat(np.array(codes), PROJECTS),
            "number": number,
            "occupation_code": rng.choice(OCCUPATIONS, len(number)),
        }
    ).with_columns(project_code=pl.format("XM{}{}", "area_code", pl.col("number").cast(pl.String).str.zfill(3)))


@cache
def providers(seed: int) -> pl.DataFrame:
    """Every training provider: `area_code`, `number` within the area, `provider_uscc`.

    The schools of a county come first, private training schools fill the rest.
    """
    codes = directory_areas()
    of_counties = dict(enumerate(areas.load().codes))
    taught = (
        schools(seed)
        .filter(pl.col("merged_on").is_null())
        .select(
            area_code=pl.col("county").replace_strict(of_counties, return_dtype=pl.String),
            number=pl.int_range(1, pl.len() + 1).over("county"),
            provider_uscc="uscc",
        )
        .filter(pl.col("number") <= PROVIDERS)
    )
    index = np.arange(len(codes) * PROVIDERS)
    private = pl.DataFrame(
        {
            "area_code": np.repeat(np.array(codes), PROVIDERS),
            "number": index % PROVIDERS + 1,
            "private_uscc": identifiers.social_credit_codes(FIRST_CREDIT_NUMBER + index),
        }
    )
    return private.join(taught, on=["area_code", "number"], how="left", maintain_order="left").select(
        "area_code", "number", provider_uscc=pl.coalesce("provider_uscc", "private_uscc")
    )
