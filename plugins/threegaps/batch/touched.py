"""Which counties and periods the accepted rows of a batch speak of, by the contract's touch.

The same rule stands in SQL for rows that are merged (`threegaps.warehouse.area_periods`): a row without any county
touches an unknown one, one without a beginning all earlier periods, one without an end all later ones. A code of
another province touches the area 省外, and where only one of several counties is missing, that one touches 不详.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.contracts.model import Contract
from threegaps.contracts.options.deliveries import NO_END
from threegaps.ledger.touches import EARLIEST, UNKNOWN_COUNTY
from threegaps.standards.areas import ELSEWHERE, OTHER_PROVINCES_AREA, UNKNOWN_AREA


class Touched:
    """Collects (county, from, to), by whole months, without what another interval contains."""

    def __init__(self, contract: Contract) -> None:
        self._touch = contract.touch
        self._seen: pl.DataFrame | None = None

    def frame(self, columns: dict[str, BlockColumn]) -> pl.DataFrame:
        """Counties and months of each row of a block."""
        touch = self._touch
        rows = len(next(iter(columns.values())).text)
        ends = [name for name in touch.to_columns or touch.from_columns if name != NO_END]
        first = _first_given([columns[name].typed for name in touch.from_columns], rows).fill_null(EARLIEST)
        last = _first_given([columns[name].typed for name in ends], rows).fill_null(dt.date.max)
        frame = pl.DataFrame({"first": first, "last": last}).select(
            pl.col("first").dt.truncate("1mo"),
            pl.when(pl.col("last") == dt.date.max)
            .then("last")
            .otherwise(pl.max_horizontal("first", "last").dt.month_end()),
        )
        return frame.with_columns(
            columns[name].text.alias(f"county_{index}") for index, name in enumerate(touch.county_columns)
        )

    def add(self, frame: pl.DataFrame) -> None:
        """Take in the rows of a block that were accepted."""
        if not frame.height:
            return
        counties = [name for name in frame.columns if name.startswith("county_")]
        different = frame.unique()
        is_nowhere = pl.all_horizontal(pl.col(counties).is_null()) if counties else pl.lit(value=True)
        nowhere, somewhere = different.filter(is_nowhere), different.filter(~is_nowhere)
        tall = pl.concat(
            [
                *(somewhere.select(_area(name).alias("county"), "first", "last") for name in counties),
                nowhere.select(pl.lit(UNKNOWN_COUNTY).alias("county"), "first", "last"),
            ]
        ).unique()
        self._seen = tall if self._seen is None else pl.concat([self._seen, tall]).unique()

    def intervals(self) -> frozenset[tuple[str, dt.date, dt.date]]:
        """What was touched; an interval that lies within another of its county is left out."""
        if self._seen is None:
            return frozenset()
        kept: list[tuple[str, dt.date, dt.date]] = []
        for county, first, last in self._seen.sort(
            "county", "first", "last", descending=[False, False, True]
        ).iter_rows():
            if not kept or kept[-1][0] != county or last > kept[-1][2]:
                kept.append((county, first, last))
        return frozenset(kept)


def _area(county: str) -> pl.Expr:
    code = pl.col(county)
    outside = pl.when(code.str.contains(ELSEWHERE)).then(pl.lit(OTHER_PROVINCES_AREA)).otherwise(code)
    return outside.fill_null(UNKNOWN_AREA)


def _first_given(series: list[pl.Series], rows: int) -> pl.Series:
    if not series:
        return pl.repeat(None, rows, dtype=pl.Date, eager=True)
    return pl.select(pl.coalesce(series)).to_series()
