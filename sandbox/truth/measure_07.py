"""Measure 7, 企业技能人才评价: M07-3 and M07-4."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, days, periods
from sandbox.truth.registry import computes
from sandbox.truth.stocks import at_work


def issued_and_revoked(cells: Cells, code: str, period: Period, certificates: pl.DataFrame, part: str) -> None:
    """What was issued, in total and by `part`, a column and a breakdown; and what was revoked, by its own day."""
    issued = certificates.filter(pl.col("issued_on").is_between(period.start, period.end))
    cells.count(code, period, issued, "person")
    for (value,), rows in issued.group_by(part):
        cells.count(code, period, rows, "person", (part, str(value)))
    gone = certificates.filter(pl.col("is_revoked") & pl.col("revoked_on").is_between(period.start, period.end))
    cells.count(code, period, gone, "person", ("revoked", "revoked"))


@computes("M07-3")
def special_and_chief_technicians(cells: Cells, known: Known) -> None:
    """Persons at work whose highest valid level is T or S, each once in an area."""
    for period in days("year"):
        persons = at_work(known, period).filter(pl.col("skill_level").is_in(["T", "S"]))
        count = {"numerator": pl.len(), "denominator": pl.lit(None), "value": pl.len(), "n_persons": pl.len()}
        cells.add("M07-3", period, persons.group_by("area_code").agg(**count))
        for (level,), rows in persons.group_by("skill_level"):
            cells.add("M07-3", period, rows.group_by("area_code").agg(**count), breakdown=("skill_level", str(level)))


@computes("M07-4")
def direct_recognitions(cells: Cells, known: Known) -> None:
    """Certificates at level 3 or above that employers gave by direct recognition."""
    annulled = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    certificates = known.certificates.filter(
        ~annulled
        & pl.col("certificate_number").str.starts_with("Y")
        & (pl.col("certificate_type") == "01")
        & pl.col("is_direct_recognition")
        & (pl.col("rank") >= 3)
    ).with_columns(skill_level="level_code")
    for period in periods("month", "quarter", "ytd", "year"):
        issued_and_revoked(cells, "M07-4", period, certificates, "skill_level")
