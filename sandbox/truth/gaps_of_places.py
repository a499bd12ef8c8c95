"""城乡差距 beyond certificates: who trains among those at work in town and in the country."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells, members
from sandbox.truth.cohorts import begun_at_work
from sandbox.truth.known import Known
from sandbox.truth.parts import URBAN_RURAL
from sandbox.truth.periods import Period, periods
from sandbox.truth.registry import computes
from sandbox.truth.stocks import at_work
from sandbox.truth.three_gaps import RATIO_OF_SHARES

FEWEST_TRAINEES, FEWEST_EMPLOYED = 10, 100
SIDES = (("rural", "2"), ("urban", "1"))


@computes("G1-3")
def participation(cells: Cells, known: Known) -> None:
    """Trainees with work among those at work, country over town; quarters, years to date and years."""
    begun = known.trainings.filter(pl.col("status") != "09").with_columns(urban_rural=URBAN_RURAL)
    # A person may begin several courses: work is asked for on the day of each.
    at_work_then = begun_at_work(begun, known.spells)
    for period in periods("quarter", "ytd", "year"):
        trainees = _numbers(_trainees(at_work_then, period), "trainees")
        employed = _numbers(at_work(known, period, "home"), "employed")
        both = employed.join(trainees, on="area_code", how="left").fill_null(0)
        enough = (pl.min_horizontal("rural_trainees", "urban_trainees") >= FEWEST_TRAINEES) & (
            pl.min_horizontal("rural_employed", "urban_employed") >= FEWEST_EMPLOYED
        )
        frame = both.select(
            "area_code",
            numerator=pl.when(enough).then("rural_trainees"),
            denominator="rural_employed",
            comparison_numerator=pl.when(enough).then("urban_trainees"),
            comparison_denominator="urban_employed",
            n_persons=pl.min_horizontal("rural_employed", "urban_employed"),
        )
        cells.add("G1-3", period, frame.with_columns(value=RATIO_OF_SHARES))


def _trainees(at_work_then: pl.DataFrame, period: Period) -> pl.DataFrame:
    """area_code, urban_rural: who began a course at work in the period, once, with the last of them."""
    return (
        at_work_then.filter(pl.col("start_date").is_between(period.start, period.end))
        .sort("start_date", "enrollment_id")
        .unique("person", keep="last", maintain_order=True)
        .join(members(period.end), on="county")
    )


def _numbers(persons: pl.DataFrame, of: str) -> pl.DataFrame:
    return persons.group_by("area_code").agg(
        (pl.col("urban_rural") == code).sum().alias(f"{side}_{of}") for side, code in SIDES
    )
