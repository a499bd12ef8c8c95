"""Cells of the truth: one value of one indicator in one area and period."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache

import polars as pl

from sandbox import areas
from sandbox.truth.periods import Period

SCHEMA = pl.Schema({
    "indicator_code": pl.String, "area_code": pl.String, "period_type": pl.String, "period_end": pl.Date,
    "breakdown": pl.String, "breakdown_value": pl.String, "numerator": pl.Float64, "denominator": pl.Float64,
    "comparison_numerator": pl.Float64, "comparison_denominator": pl.Float64, "value": pl.Float64,
    "n_persons": pl.Int64,
})  # fmt: skip


@cache
def members(day: date) -> pl.DataFrame:
    """area_code, county (index) as membership stands on `day`."""
    return (
        areas.area_member()
        .filter((pl.col("valid_from") <= day) & (day < pl.col("valid_to")))
        .select("area_code", county=areas.index_of(pl.col("county_code")))
    )


@dataclass(slots=True)
class Cells:
    """Collected cells."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    computed: set[str] = field(default_factory=set)

    def codes(self) -> set[str]:
        """Indicators that were computed, though in a small province nothing may have been counted."""
        return self.computed

    def take(self, other: Cells, wanted: pl.Expr) -> None:
        """Add those cells of *other* that are *wanted*."""
        self.computed |= other.computed
        self.frames += [frame.filter(wanted) for frame in other.frames]

    def add(
        self,
        code: str,
        period: Period,
        frame: pl.DataFrame,
        scale: float = 1.0,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """Add cells of one indicator, period and part.

        Args:
            code: The indicator's.
            period: Theirs.
            frame: area_code, numerator, denominator (null for counts and medians), n_persons, perhaps value; of a
                ratio of two shares also comparison_numerator and comparison_denominator.
            scale: By what the quotient of numerator and denominator is multiplied.
            breakdown: And its value.
        """
        self.computed.add(code)
        missing = [name for name in ("comparison_numerator", "comparison_denominator") if name not in frame.columns]
        frame = frame.with_columns(pl.lit(None).alias(name) for name in missing)
        # Amounts have no more decimals than these; the last bits of their sums depend on the order of polars' threads.
        sides = pl.col("numerator", "denominator", "comparison_numerator", "comparison_denominator")
        frame = frame.with_columns(sides.cast(pl.Float64).round(6))
        if "value" not in frame.columns:
            frame = frame.with_columns(value=pl.col("numerator") / pl.col("denominator") * scale)
        self.frames.append(
            frame.select(
                indicator_code=pl.lit(code),
                area_code="area_code",
                period_type=pl.lit(period.kind),
                period_end=pl.lit(period.end),
                breakdown=pl.lit(breakdown[0]),
                breakdown_value=pl.lit(breakdown[1]),
                numerator="numerator",
                denominator="denominator",
                comparison_numerator="comparison_numerator",
                comparison_denominator="comparison_denominator",
                value=pl.col("value").cast(pl.Float64).round(4),
                n_persons=pl.col("n_persons").cast(pl.Int64),
            )
        )

    def nothing_yet(self, code: str, period: Period) -> None:
        """Say of the province that nothing can be known of it in `period`: no base, or a window that has not ended."""
        self.add(code, period, published_row(areas.PROVINCE, None, None, None))

    def ratio(
        self,
        code: str,
        period: Period,
        rows: pl.DataFrame,
        hit: pl.Expr,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """Percent of `rows` (columns county, person) with `hit`, in every area."""
        spread = rows.with_columns(_hit=hit.fill_null(value=False)).join(members(period.end), on="county")
        frame = spread.group_by("area_code").agg(
            numerator=pl.col("_hit").sum(), denominator=pl.len(), n_persons=pl.col("person").n_unique()
        )
        self.add(code, period, frame, 100, breakdown)

    def count(
        self,
        code: str,
        period: Period,
        rows: pl.DataFrame,
        person: str | None,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """Number of `rows` in every area."""
        persons = pl.col(person).n_unique() if person else pl.lit(None, pl.Int64)
        frame = (
            rows.join(members(period.end), on="county").group_by("area_code").agg(numerator=pl.len(), n_persons=persons)
        )
        value = pl.col("numerator")
        self.add(code, period, frame.with_columns(denominator=pl.lit(None), value=value), breakdown=breakdown)

    def total(
        self,
        code: str,
        period: Period,
        rows: pl.DataFrame,
        amount: str,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """Sum of a column of `rows` in every area."""
        frame = rows.join(members(period.end), on="county").group_by("area_code").agg(numerator=pl.col(amount).sum())
        nothing = {"denominator": pl.lit(None), "n_persons": pl.lit(None)}
        self.add(code, period, frame.with_columns(value=pl.col("numerator"), **nothing), breakdown=breakdown)

    def quotient(
        self,
        code: str,
        period: Period,
        rows: pl.DataFrame,
        upper: str,
        lower: str,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """Percent that the sum of one column of `rows` is of that of another, in every area."""
        frame = (
            rows.join(members(period.end), on="county")
            .group_by("area_code")
            .agg(numerator=pl.col(upper).sum(), denominator=pl.col(lower).sum(), n_persons=pl.lit(None))
        )
        self.add(code, period, frame, 100, breakdown)


def published_row(area: str, numerator: float | None, denominator: float | None, value: float | None) -> pl.DataFrame:
    """One area's figures as they were published."""
    return pl.DataFrame(
        {
            "area_code": [area],
            "numerator": [numerator],
            "denominator": [denominator],
            "value": [value],
            "n_persons": [None],
        },
        schema={
            "area_code": pl.String,
            "numerator": pl.Float64,
            "denominator": pl.Float64,
            "value": pl.Float64,
            "n_persons": pl.Int64,
        },
    )
