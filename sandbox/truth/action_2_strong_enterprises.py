"""技能强企: M07, M08."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes


@computes("M07-1", "M07-2")
def issued_certificates(cells: Cells, known: Known) -> None:
    """Share issued by employers, and of high levels, of all that was issued; what was revoked, by its day, apart."""
    annulled = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    certificates = known.certificates.filter(~annulled)
    by_employer, high = pl.col("certificate_number").str.starts_with("Y"), pl.col("rank") >= 3
    levels = certificates.filter(pl.col("certificate_type") == "01")
    ranked = certificates.filter(pl.col("certificate_type").is_in(["01", "02"]) & pl.col("rank").is_not_null())
    ranked = ranked.with_columns(
        issuer=pl.when(pl.col("certificate_type") == "02")
        .then(pl.lit("02"))
        .otherwise(pl.col("certificate_number").str.head(1))
    )
    for period in periods("month", "quarter", "ytd", "year"):
        for code, rows, hit, name, part in (
            ("M07-1", levels, by_employer, "skill_level", "level_code"),
            ("M07-2", ranked, high, "issuer", "issuer"),
        ):
            issued = rows.filter(pl.col("issued_on").is_between(period.start, period.end))
            cells.ratio(code, period, issued, hit)
            for (value,), group in issued.group_by(part):
                cells.ratio(code, period, group, hit, (name, str(value)))
            revoked = rows.filter(pl.col("is_revoked") & pl.col("revoked_on").is_between(period.start, period.end))
            cells.ratio(code, period, revoked, hit, ("revoked", "revoked"))


@computes("M08-1")
def skill_enterprises(cells: Cells, known: Known) -> None:
    """Ever recognised: those on the roster and, apart, those revoked by then."""
    for period in days("quarter", "year"):
        rows = known.enterprises.filter(pl.col("recognised") <= period.end)
        cells.count("M08-1", period, rows, None)
        gone = (pl.col("revoked") <= period.end).fill_null(value=False)
        cells.count("M08-1", period, rows.filter(gone), None, ("status", "revoked"))
        cells.count("M08-1", period, rows.filter(~gone), None, ("status", "in_force"))
