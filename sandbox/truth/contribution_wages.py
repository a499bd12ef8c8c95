"""Contribution wages of persons, and ratios of their medians."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sandbox.truth.cells import Cells, members
from sandbox.truth.known import RANK, Known
from sandbox.truth.periods import Period
from sandbox.truth.stocks import levels


def wage_rows(folder: Path, period: Period) -> pl.DataFrame:
    """Normal pension rows of the period: person, county, month, cents."""
    first, last = f"{period.start:%Y%m}", f"{period.end:%Y%m}"
    files = sorted(path for path in folder.glob("*.parquet") if first <= path.stem <= last)
    return (
        pl.scan_parquet(files)
        .filter((pl.col("scheme") == "110") & (pl.col("payment_type") == "01"))
        .select("person", "wage_month", "cents", county="work")
        .collect()
    )


def person_wages(known: Known, period: Period) -> pl.DataFrame:
    """area_code, person, wage (元 a month, mean over months with a row there), rank and level on the first day.

    The rank is null for those without a level; the level is then `special_only` or `none`.
    """
    rows = wage_rows(known.wages, period).join(members(period.end), on="county")
    monthly = rows.group_by("area_code", "person").agg(
        wage=pl.col("cents").sum() / pl.col("wage_month").n_unique() / 100
    )
    held = levels(known.certificates, period.start)
    return monthly.join(held, on="person", how="left").with_columns(
        pl.col("level").fill_null("none"),
        rank=pl.col("level").replace_strict(RANK, default=None, return_dtype=pl.Int64),
    )


def median_ratio(
    cells: Cells,
    code: str,
    period: Period,
    wages: pl.DataFrame,
    upper: pl.Expr,
    lower: pl.Expr,
    breakdown: tuple[str, str] = ("total", "total"),
) -> None:
    wage = pl.col("wage")
    frame = wages.group_by("area_code").agg(
        numerator=wage.filter(upper).median(),
        denominator=wage.filter(lower).median(),
        n_persons=pl.min_horizontal(upper.sum(), lower.sum()),
    )
    cells.add(code, period, frame.filter(pl.col("n_persons") > 0), breakdown=breakdown)
