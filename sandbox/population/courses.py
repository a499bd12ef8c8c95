"""What a training is besides who is trained and when: its project, its provider, who is a graduate, who failed.

Drawn beside the trainings, by a generator of its own, so that what they had drawn stays as it was.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas
from sandbox.population.directories import PROJECTS, PROVIDERS, directory_areas, projects, providers

STREAM = 950
# Whose project or provider it is: the trainee's county's, its city's, another county's, so that it stands in no
# directory there, or nobody has said it (assumed).
OWN, CITY, OTHER, UNSAID = range(4)
SHARES_OF_PLACES = (0.8, 0.12, 0.04, 0.04)
# Of the trainings for a county's own project (assumed).
SHARE_ORDER_BASED = 0.2
# 在校, 毕业年度, 离校未就业 or none of them, of the young in priority group 02 and of the other young (assumed).
GRADUATES = np.array(["01", "02", "03", ""])
SHARES_IN_GROUP, SHARES_OF_OTHERS = (0.3, 0.3, 0.25, 0.15), (0.1, 0.03, 0.05, 0.82)
YOUNG_SINCE = "1997"
# Of those who completed a course that ends in an assessment; some were never assessed (assumed).
SHARE_FAILED = 0.17


def with_courses(trainings: pl.DataFrame, seed: int) -> pl.DataFrame:
    """*trainings*, every version of each, with what all its versions say alike.

    Adds `project_code`, `is_order_based`, `provider_uscc`, `graduate_status` and, from completion on,
    `assessment_failed_on`.
    """
    rng = np.random.default_rng([seed, STREAM])
    first = trainings.filter(pl.col("version") == 1).sort("enrollment_id")
    number = len(first)
    residence = first["residence"].to_numpy()
    of_project = rng.choice(4, number, p=SHARES_OF_PLACES)
    project = _listed(projects(seed)["project_code"], PROJECTS, of_project, residence, rng)
    order_based = (of_project == OWN) & (rng.random(number) < SHARE_ORDER_BASED)
    of_provider = rng.choice(4, number, p=SHARES_OF_PLACES)
    provider = _listed(providers(seed)["provider_uscc"], PROVIDERS, of_provider, residence, rng)
    failed = first["ends_in_assessment"].to_numpy() & (rng.random(number) < SHARE_FAILED)
    drawn = first.select(
        "enrollment_id",
        project_code=pl.Series(project),
        is_order_based=pl.Series(order_based),
        provider_uscc=pl.Series(provider),
        graduate_status=pl.Series(_graduates(first, rng)),
        days_to_failure=pl.Series(np.where(failed, rng.integers(0, 3, number), -1)),
    )
    every = trainings.join(drawn, on="enrollment_id", maintain_order="left")
    failed_on = pl.col("completion_date") + pl.duration(days="days_to_failure")
    return every.with_columns(assessment_failed_on=pl.when(pl.col("days_to_failure") >= 0).then(failed_on)).drop(
        "days_to_failure"
    )


def _listed(
    codes: pl.Series,
    of_each_area: int,
    place: NDArray[np.int64],
    residence: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.str_]:
    """One of *codes*, which are so many of each area that may have directories; an empty text where nobody said it."""
    counties = areas.counties()
    area_of_city = {code: row for row, code in enumerate(directory_areas())}
    city = np.array([area_of_city[code] for code in counties["city_code"]])
    other = (residence + rng.integers(1, len(counties), len(residence))) % len(counties)
    area = np.choose(place, [residence, city[residence], other, residence])
    chosen = area * of_each_area + rng.integers(0, of_each_area, len(residence))
    return np.where(place == UNSAID, "", codes.to_numpy().astype(str)[chosen])


def _graduates(trainings: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.str_]:
    number = len(trainings)
    born = pl.col("resident_id").str.slice(6, 4)
    is_young = trainings.select((pl.col("id_type") == "01") & (born >= YOUNG_SINCE)).to_series().to_numpy()
    in_group = trainings["priority_groups"].str.contains("02").to_numpy()
    of_group = rng.choice(GRADUATES, number, p=SHARES_IN_GROUP)
    of_others = rng.choice(GRADUATES, number, p=SHARES_OF_OTHERS)
    return np.where(is_young, np.where(in_group, of_group, of_others), "")
