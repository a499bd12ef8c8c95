"""Measure 21, leading talents and honours; the certified shares stand in `action_5_grown_talent`."""

from __future__ import annotations

import polars as pl

from sandbox.feeds.hrss.leading_talent import NATIONAL, PROVINCIAL
from sandbox.truth.cells import Cells, members
from sandbox.truth.known import Known
from sandbox.truth.periods import days
from sandbox.truth.registry import computes
from sandbox.truth.stocks import employed_where, per_ten_thousand

CODES = dict(
    zip(
        (*NATIONAL, *PROVINCIAL),
        (
            "china_skills_award", "national_expert", "great_craftsman", "zhejiang_grand_craftsman",
            "zhejiang_outstanding_craftsman", "zhejiang_craftsman", "zhejiang_young_craftsman", "zhejiang_expert",
        ),
        strict=True,
    )
)  # fmt: skip


@computes("M21-3", "M21-4")
def leading_talents(cells: Cells, known: Known) -> None:
    """Holders of honours in service at the year's end: of the nation, and of nation and province per employed."""
    roster = known.accepted["hrss/leading_talent"].with_columns(county=pl.col("county").cast(pl.Int64))
    for period in days("year"):
        day = pl.lit(period.end)
        in_service = roster.filter(
            (pl.col("awarded").cast(pl.Date) <= day)
            & (pl.col("ended").is_null() | (pl.col("ended").cast(pl.Date) > day))
            & pl.col("honour").is_in(list(CODES))
        ).join(members(period.end), on="county")
        employed = employed_where(known, period, in_service)
        parts = [(("honour", code), in_service.filter(pl.col("honour") == name)) for name, code in CODES.items()]
        for breakdown, part in [(("total", "total"), in_service), *parts]:
            counted = part.group_by("area_code").agg(numerator=pl.col("person").n_unique())
            cells.add("M21-3", period, per_ten_thousand(employed, counted), breakdown=breakdown)
        national = in_service.filter(pl.col("honour").is_in(NATIONAL))
        parts = [(("honour", CODES[name]), national.filter(pl.col("honour") == name)) for name in NATIONAL]
        for breakdown, part in [(("total", "total"), national), *parts]:
            frame = part.group_by("area_code").agg(numerator=pl.col("person").n_unique())
            empty = {"denominator": pl.lit(None), "n_persons": pl.lit(None), "value": pl.col("numerator")}
            cells.add("M21-4", period, frame.with_columns(**empty), breakdown=breakdown)
