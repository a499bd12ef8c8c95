"""Measure 16, state-owned enterprises."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.sasac.soe_payroll import NUMBERS, PROVINCE
from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import days
from sandbox.truth.registry import computes


def returns(known: Known) -> pl.DataFrame:
    """The returns of all years; a provincial enterprise is in no county."""
    own_level = areas.all_codes().index(areas.PROVINCE_OWN_LEVEL)
    is_provincial = pl.col("owner_level") == PROVINCE
    return known.accepted["sasac/soe_payroll"].with_columns(
        county=pl.when(is_provincial).then(own_level).otherwise("county").cast(pl.Int64)
    )


@computes("M16-1")
def skill_sequences(cells: Cells, known: Known) -> None:
    """Firms that pay by a sequence of skill posts, of those in scope."""
    in_scope = returns(known).filter("in_scope").with_columns(person="uscc")
    for period in days("year"):
        rows = in_scope.filter(pl.col("year") == str(period.end.year))
        cells.ratio("M16-1", period, rows, pl.col("has_skill_sequence"))
        for level in NUMBERS:
            part = rows.filter(pl.col("owner_level") == level)
            cells.ratio("M16-1", period, part, pl.col("has_skill_sequence"), ("owner_level", level))
