"""Which specialties (专业) each school teaches, since when and until when."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from sandbox.calendar import HORIZON
from sandbox.population.codes import NOT_A_DATE
from sandbox.population.schools import PROGRAMMES, schools

STREAM = 950
FEWEST, MOST = 4, 12
FIRST_YEAR = 2016
SHARE_CLOSED = 0.1
FLAGS = ("new_occupation", "new_manufacturing", "digital", "rural_industry")


@cache
def school_programmes(seed: int) -> pl.DataFrame:
    """Every specialty of every school, gone ones too.

    Returns:
        `school` (index), `programme_code`, `programme_name`, the four `FLAGS` as booleans, `opened_on`, and
        `closed_on`, its last day, which is missing while it is taught. A specialty of a merged school ends with it.
    """
    rng = np.random.default_rng([seed, STREAM])
    every = schools(seed)
    number = rng.integers(FEWEST, MOST + 1, len(every))
    taught = np.concatenate([rng.permutation(len(PROGRAMMES))[:count] for count in number])
    year = rng.integers(FIRST_YEAR, HORIZON.year, len(taught))
    closed = rng.random(len(taught)) < SHARE_CLOSED
    lasted = rng.integers(1, 7, len(taught))
    # A school year begins on 1 September and ends on 31 August.
    opened_on = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + 8
    ends = (opened_on + 12 * lasted).astype("datetime64[D]") - 1
    chosen = pl.DataFrame(
        {
            "school": np.repeat(every["school"].to_numpy(), number),
            "programme": taught,
            "opened_on": opened_on.astype("datetime64[D]"),
            "closed_on": np.where(closed, ends, NOT_A_DATE),
        }
    )
    known = pl.DataFrame(
        {
            "programme": list(range(len(PROGRAMMES))),
            "programme_code": [programme.code for programme in PROGRAMMES],
            "programme_name": [programme.name for programme in PROGRAMMES],
            **{flag: [flag in programme.flags for programme in PROGRAMMES] for flag in FLAGS},
        },
        schema_overrides={"programme": pl.Int64},
    )
    of_schools = every.select("school", "merged_on", school_opened_on="opened_on")
    return (
        chosen.join(known, on="programme", maintain_order="left")
        .join(of_schools, on="school", maintain_order="left")
        .with_columns(
            opened_on=pl.max_horizontal("opened_on", "school_opened_on"),
            closed_on=pl.min_horizontal("closed_on", "merged_on"),
        )
        .filter(pl.col("closed_on").is_null() | (pl.col("closed_on") >= pl.col("opened_on")))
        .select("school", "programme_code", "programme_name", *FLAGS, "opened_on", "closed_on")
    )
