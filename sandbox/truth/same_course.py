"""Records of one course in several systems: which of the sectors' records count nowhere else."""

from __future__ import annotations

import polars as pl

from sandbox.feeds.sectors.training_enrollments import SECTORS

_RECORD = ("sector", "serial", "reported_on")
_DAYS_APART = 7


def without_repeats(sectors: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """The sectors' records of courses that are not `listed` elsewhere, each with the department that ended it first.

    Args:
        sectors: Completed and subsidised records of the sectors.
        listed: Those of the human resources departments: person, start_date, occupation_code.
    """
    names = dict(enumerate(sector.name for sector in SECTORS))
    named = sectors.with_columns(department=pl.col("sector").replace_strict(names, return_dtype=pl.String))
    at_home = _pairs(named, listed.select("person", other_start="start_date", other_code="occupation_code"))
    others = named.select(
        "person",
        other_start="start_date",
        other_code="occupation_code",
        other_end="completion_date",
        other_department="department",
    )
    ended_before = pl.col("other_end") < pl.col("completion_date")
    on_one_day = pl.col("other_end") == pl.col("completion_date")
    # Texts compare by their bytes, so that one of the same day does not depend on a language's order.
    of_the_first = ended_before | (on_one_day & (pl.col("other_department") < pl.col("department")))
    elsewhere = _pairs(named, others).filter((pl.col("other_department") != pl.col("department")) & of_the_first)
    repeats = pl.concat([pairs.select(_RECORD) for pairs in (at_home, elsewhere)]).unique()
    return sectors.join(repeats, on=_RECORD, how="anti")


def _pairs(records: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Records beside others of the same person, week and small class of occupations, as far as both are coded."""
    days_apart = (pl.col("other_start") - pl.col("start_date")).dt.total_days().abs()
    both_coded = (pl.col("occupation_code") != "") & (pl.col("other_code") != "")
    same_class = pl.col("occupation_code").str.slice(0, 7) == pl.col("other_code").str.slice(0, 7)
    return records.join(others, on="person").filter((days_apart <= _DAYS_APART) & (~both_coded | same_class))
