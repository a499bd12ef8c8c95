"""What schools hand to the province when a term ends: until then a change of theirs stands in no register of it."""

from __future__ import annotations

import polars as pl

HOUR = "20:00:00"


def handed_over(changed_at: str) -> pl.Expr:
    """When a change comes to the province, as text: on the evening of the last day of its term (January, August).

    Args:
        changed_at: The column with the moment of the change, as text.
    """
    day = pl.col(changed_at).str.slice(0, 10).str.to_date()
    year = day.dt.year() + pl.when(day.dt.month() >= 9).then(1).otherwise(0)
    in_winter = (day.dt.month() >= 9) | (day.dt.month() == 1)
    last = pl.when(in_winter).then(pl.date(year, 1, 31)).otherwise(pl.date(year, 8, 31))
    return pl.format("{} {}", last.dt.strftime("%Y-%m-%d"), pl.lit(HOUR))
