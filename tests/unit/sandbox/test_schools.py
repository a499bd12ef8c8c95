"""Schools are the same for all feeds, and a code that became free goes to another school."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.population.schools import PROGRAMMES, schools, technician_schools

SEED = 20250527


def test_a_code_is_one_schools_at_a_time_and_a_credit_code_for_good() -> None:
    every = schools(SEED)
    assert every["uscc"].is_unique().all()
    assert every["school_code"].str.contains(r"^(36|37|41)33[0-9]{6}$").all()
    twice = every.filter(pl.col("school_code").is_duplicated()).sort("school_code", "opened_on")
    assert len(twice) > 4
    first, second = twice.gather_every(2), twice.gather_every(2, 1)
    assert (first["merged_on"] < second["opened_on"]).all()
    assert second["merged_on"].is_null().all()


def test_who_merged_went_into_a_school_that_still_is() -> None:
    every = schools(SEED)
    gone = every.filter(pl.col("merged_on").is_not_null())
    took = every.filter(pl.col("school").is_in(gone["merged_into"].implode()))
    assert len(took) == len(gone) > 0
    assert took["merged_on"].is_null().all()
    assert set(gone["kind"]) <= set(technician_schools(SEED)["kind"])


def test_each_county_has_a_school_and_seeds_differ() -> None:
    assert schools(SEED)["county"].n_unique() == len(areas.load().codes)
    assert not schools(SEED).equals(schools(7))
    assert len({one.code for one in PROGRAMMES}) == len(PROGRAMMES)
