"""Employers of the province."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas, identifiers
from sandbox.population.codes import INDUSTRIES, INDUSTRY_SHARE, coded

# 单位类型: enterprise, public body, social organisation.
ENTERPRISE, PUBLIC_BODY, SOCIAL_ORGANISATION = "01", "02", "03"
TYPE_STREAM = 951
# Public bodies among the employers of public administration, of education and health, of research, water and culture;
# social organisations among those that serve the public (assumed).
SHARES_PUBLIC, SHARE_SOCIAL = (0.8, 0.6, 0.15), 0.1
SHARE_INSURED_AT_CITY, SHARE_INSURED_AT_PROVINCE = 0.02, 0.01


def make_employers(persons: int, rng: np.random.Generator) -> pl.DataFrame:
    """Employers for so many persons; a few of them report in 万元, some on the lowest base."""
    area = areas.load()
    count = np.maximum((area.weight * persons / 18).astype(int), 6)
    county = np.repeat(np.arange(len(area.codes)), count)
    number = len(county)
    index = np.arange(number, dtype=np.int64)
    return pl.DataFrame(
        {
            "employer": index,
            "employer_code": coded("DW", index + 1, 10),
            "uscc": identifiers.social_credit_codes(index + 1),
            "county": county,
            "industry": rng.choice(len(INDUSTRIES), number, p=INDUSTRY_SHARE / INDUSTRY_SHARE.sum()),
            "reports_monthly": rng.random(number) < 0.3,
            # Some pay contributions on the lowest base, whatever they pay their people.
            "reports_floor": rng.random(number) < 0.04,
            "reports_ten_thousands": rng.random(number) < 0.02,
            "insured_in": _insured_in(county, rng),
        }
    )


def employer_types(employers: pl.DataFrame, seed: int) -> pl.DataFrame:
    """employer, employer_type: what an employer is, which goes by its industry; drawn beside what else it has."""
    rng = np.random.default_rng([seed, TYPE_STREAM])
    section = INDUSTRIES[employers["industry"].to_numpy()]
    draw = rng.random(len(employers))
    groups = [np.isin(section, list(sections)) for sections in ("S", "PQ", "MNR")]
    share_public = np.select(groups, SHARES_PUBLIC, 0.0)
    is_social = np.isin(section, list("PQRST")) & (draw >= 1 - SHARE_SOCIAL)
    kind = np.where(draw < share_public, PUBLIC_BODY, np.where(is_social, SOCIAL_ORGANISATION, ENTERPRISE))
    return employers.select("employer", employer_type=pl.Series(kind))


def _insured_in(county: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Where the employers' people are insured: a few at the province's or their city's own level."""
    place = {code: number for number, code in enumerate(areas.all_codes())}
    city = np.array([place[areas.own_level_of(code)] for code in areas.load().codes])
    draw = rng.random(len(county))
    at_city = np.where(draw < SHARE_INSURED_AT_CITY, city[county], county)
    return np.where(draw >= 1 - SHARE_INSURED_AT_PROVINCE, place[areas.PROVINCE_OWN_LEVEL], at_city)


def pick(county: NDArray[np.int64], employers: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """An employer in each county; a few employers are large (squared uniform)."""
    count = np.bincount(employers["county"].to_numpy(), minlength=county.max() + 1)
    start = np.r_[0, np.cumsum(count)[:-1]]
    chosen: NDArray[np.int64] = start[county] + (rng.random(len(county)) ** 1.8 * count[county]).astype(int)
    return chosen
