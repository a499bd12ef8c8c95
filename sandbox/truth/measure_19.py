"""Measure 19, one exam for two certificates."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells
from sandbox.truth.known import BEFORE, Known
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes


def stands(known: Known) -> pl.DataFrame:
    """The list as it stands on the opening day, by the numbers that were sent."""
    entered, gone = pl.col("entered_at") < BEFORE, pl.col("is_withdrawn") & (pl.col("withdrawn_at") < BEFORE)
    return known.accepted["hrss/dual_certificates"].filter(entered & ~gone)


@computes("M19-1", "M19-2")
def dual_certificates(cells: Cells, known: Known) -> None:
    """Of the certificates that were issued, those whose number is on the list."""
    annulled = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    listed = stands(known)["number_sent"].implode()
    issued = known.certificates.filter(~annulled & (pl.col("certificate_type") == "01")).with_columns(
        is_dual=pl.col("certificate_number").is_in(listed)
    )
    by_employer = pl.col("certificate_number").str.starts_with("Y")
    for period in periods("month", "quarter", "ytd", "year"):
        rows = issued.filter(pl.col("issued_on").is_between(period.start, period.end))
        dual = rows.filter("is_dual")
        cells.count("M19-1", period, dual, "person")
        for (level,), part in dual.group_by("level_code"):
            cells.count("M19-1", period, part, "person", ("skill_level", str(level)))
        if period.kind != "month":
            cells.ratio("M19-2", period, rows.filter(by_employer), pl.col("is_dual"))


@computes("M19-3")
def equivalences(cells: Cells, known: Known) -> None:
    """Entries of the province's directory in force."""
    for period in days("quarter", "year"):
        begun = pl.col("valid_from") <= period.end
        not_over = pl.col("valid_to").is_null() | (pl.col("valid_to") >= period.end)
        number = known.accepted["hrss/certificate_equivalences"].filter(begun & not_over).height
        frame = pl.DataFrame({"area_code": [areas.PROVINCE], "numerator": [number], "n_persons": [None]})
        cells.add("M19-3", period, frame.with_columns(denominator=pl.lit(None), value="numerator"))
