"""Measure 14, pay by skill grade: agreements."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.union.collective_agreements import REGIONAL, SECTORAL
from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import days
from sandbox.truth.registry import computes


@computes("M14-5")
def regional_agreements(cells: Cells, known: Known) -> None:
    """Agreements in force on the last day of the year; of a whole city in the city's own level."""
    place = pl.col("filing_area_code")
    own_level = pl.concat_str(place.str.slice(0, 4), pl.lit("99"))
    agreements = (
        known.accepted["union/collective_agreements"]
        .filter(pl.col("scope").is_in([REGIONAL, SECTORAL]))
        .unique("number")
        .with_columns(county=areas.index_of(pl.when(place.str.ends_with("00")).then(own_level).otherwise(place)))
    )
    for period in days("year"):
        rows = agreements.filter(pl.lit(period.end).is_between("valid_from", "valid_until"))
        cells.count("M14-5", period, rows, None)
        for scope, name in ((REGIONAL, "regional"), (SECTORAL, "sectoral")):
            cells.count("M14-5", period, rows.filter(pl.col("scope") == scope), None, ("agreement_scope", name))
