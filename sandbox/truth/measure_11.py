"""Measure 11, 技能型乡村(社区): M11."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells, published_row
from sandbox.truth.known import Known
from sandbox.truth.measure_07 import issued_and_revoked
from sandbox.truth.parts import URBAN_RURAL
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes
from sandbox.truth.rosters import in_force


@computes("M11-1")
def villages(cells: Cells, known: Known) -> None:
    """Ever recognised; those revoked by then apart, and a merged village is not one of them."""
    for period in days("quarter", "year"):
        rows = known.accepted["hrss/skill_villages"].filter(pl.col("recognised") <= period.end)
        gone = (pl.col("revoked") <= period.end).fill_null(value=False)
        cells.count("M11-1", period, rows, None)
        cells.count("M11-1", period, rows.filter(gone), None, ("status", "revoked"))
        cells.count("M11-1", period, rows.filter(~gone), None, ("status", "in_force"))


@computes("M11-4")
def special_ability_items(cells: Cells, known: Known) -> None:
    """Items in force, each in every county that offers it."""
    for period in days("year"):
        offered = known.accepted["hrss/special_ability_items"].filter(in_force(period.end, "begun", "ended"))
        cells.count("M11-4", period, offered, None)


@computes("M11-2")
def rural_certified(cells: Cells, _: Known) -> None:
    """Nobody has published how many persons work in the country: there is nothing to divide by."""
    for period in periods("year"):
        cells.add("M11-2", period, published_row("330000", None, None, None))


@computes("M11-3")
def special_ability_certificates(cells: Cells, known: Known) -> None:
    """Certificates of type 03, by where their holder lived at issue."""
    annulled = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    certificates = known.certificates.filter(~annulled & (pl.col("certificate_type") == "03"))
    certificates = certificates.with_columns(urban_rural=URBAN_RURAL)
    for period in periods("month", "quarter", "ytd", "year"):
        issued_and_revoked(cells, "M11-3", period, certificates, "urban_rural")
