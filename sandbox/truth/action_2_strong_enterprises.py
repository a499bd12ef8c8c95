"""技能强企: M07, M08."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes


@computes("M07-1", "M07-2")
def issued_certificates(cells: Cells, known: Known) -> None:
    """Share issued by employers, and of high levels."""
    standing = known.certificates.filter(~pl.col("is_revoked"))
    for kind in ("month", "quarter", "ytd", "year"):
        for period in periods(kind):
            issued = standing.filter(pl.col("issued_on").is_between(period.start, period.end))
            employer = pl.col("certificate_number").str.starts_with("Y")
            cells.ratio("M07-1", period, issued.filter(pl.col("certificate_type") == "01"), employer)
            levelled = issued.filter(pl.col("certificate_type").is_in(["01", "02"]) & pl.col("rank").is_not_null())
            cells.ratio("M07-2", period, levelled, pl.col("rank") >= 3)


@computes("M08-1")
def skill_enterprises(cells: Cells, known: Known) -> None:
    """Ever recognised; apart, those revoked by then."""
    for period in days("quarter", "year"):
        rows = known.enterprises.filter(pl.col("recognised") <= period.end)
        cells.count("M08-1", period, rows, None)
        revoked = rows.filter(pl.col("revoked") <= period.end)
        cells.count("M08-1", period, revoked, None, ("status", "revoked"))
