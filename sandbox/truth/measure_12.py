"""Measure 12, 共富工坊与美丽工坊: M12."""

from __future__ import annotations

from datetime import date

import polars as pl

from sandbox.truth.cells import Cells, members, published_row
from sandbox.truth.known import Known
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes

KINDS = {
    "定向招工式": "recruiting", "来料加工式": "processing", "电子商务式": "e_commerce", "农旅融合式": "farm_tourism",
    "品牌带动式": "brand", "产业赋能式": "industry",
}  # fmt: skip


@computes("M12-1", "M12-2", "M12-2a")
def prosperity_workshops(cells: Cells, known: Known) -> None:
    """Workshops that run by the period's own list: those that trained, and what their workers gain."""
    running = known.accepted["organisation/prosperity_workshops"].filter("is_running")
    trained = pl.col("trained") > pl.col("listed_on").dt.offset_by("-12mo")
    for period in days("quarter", "year"):
        listed = running.filter(pl.col("listed_on") == period.end).with_columns(person="number")
        cells.ratio("M12-1", period, listed, trained)
        for (kind,), rows in listed.group_by("kind"):
            cells.ratio("M12-1", period, rows, trained, ("workshop_kind", KINDS[str(kind)]))
    says_gain = pl.col("gain").is_not_null() & (pl.col("workers") > 0)
    for period in days("year"):
        listed = running.filter(pl.col("listed_on") == period.end).with_columns(person="number")
        cells.ratio("M12-2a", period, listed, says_gain)
        reporting = running.filter((pl.col("listed_on") == period.end) & pl.col("gain").is_not_null())
        frame = reporting.join(members(period.end), on="county").group_by("area_code").agg(
            numerator=(pl.col("workers") * pl.col("gain")).sum(),
            denominator=pl.col("workers").sum(),
            n_persons=pl.col("workers").sum(),
        )  # fmt: skip
        cells.add("M12-2", period, frame)


@computes("M12-3", "M12-4")
def beautiful_workshops(cells: Cells, known: Known) -> None:
    """The year's cumulative numbers, where each organiser of its quarters has them; of the province alone."""
    every = known.accepted["federations/beautiful_workshops"]
    for period in periods("year"):
        in_year = every.filter(pl.col("period_end").is_between(date(period.end.year, 1, 1), period.end))
        whole = in_year.filter(pl.col("period_end") == period.end)
        if whole.is_empty() or set(whole["organised_by"]) != set(in_year["organised_by"]):
            # what one of them owes is not a smaller number
            for code in ("M12-3", "M12-4"):
                cells.add(code, period, published_row("330000", None, None, None))
            continue
        trained, reporting, gain = (
            int(whole[name].sum()) for name in ("trained_women", "reporting_women", "monthly_gain_sum_cny")
        )
        persons = pl.lit(trained, pl.Int64)
        cells.add("M12-3", period, published_row("330000", trained, None, trained).with_columns(n_persons=persons))
        mean = published_row("330000", gain, reporting, gain / reporting if reporting else None)
        cells.add("M12-4", period, mean.with_columns(n_persons=pl.lit(reporting, pl.Int64)))
