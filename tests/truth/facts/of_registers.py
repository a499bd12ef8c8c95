"""Facts of registers and of published figures, which know no persons."""

from __future__ import annotations

import datetime as dt

import polars as pl

from sandbox import published_employment
from sandbox.calendar import OPENING_DAY
from sandbox.feeds.hrss.skill_funds import as_listed
from tests.truth.facts.registry import Sent, code, fills


@fills("fct_skill_fund")
def funds(sent: Sent) -> pl.DataFrame:
    """The list of funds as it stands on the opening day."""
    entries = sent.scene.accepted["hrss/skill_funds"]
    listed = as_listed(entries, OPENING_DAY).join(entries.select("entry", "area", "year"), on="entry")
    ended = pl.col("year") < OPENING_DAY.year
    digits = pl.col("spent").str.strip_prefix("约")
    return listed.select(
        "fund_source",
        paying_area_code=code("area"),
        period_start=pl.date("year", 1, 1),
        period_end=pl.when(ended).then(pl.date("year", 12, 31)).otherwise(OPENING_DAY),
        budget_cny=_yuan(pl.col("budget")),
        spent_cny=_yuan(digits),
        spent_bound=pl.when(digits == pl.col("spent")).then(pl.lit("exact")).otherwise(pl.lit("about")),
        transferred_in_cny=_yuan(pl.col("transferred_in")),
        is_estimate=pl.col("is_estimate") == "是",
    )


def _yuan(ten_thousands: pl.Expr) -> pl.Expr:
    """Yuan of a text in 万元; nothing of an empty one."""
    return pl.when(ten_thousands != "").then(ten_thousands).cast(pl.Decimal(16, 2)) * 10_000


@fills("fct_published_figure")
def published_figures(_: Sent) -> pl.DataFrame:
    """Figures of employment and population, as far as one was found."""
    times = {"人": 1, "万人": 10_000, "%": 1}
    found = [row for row in published_employment.figures() if row["value"] != published_employment.NOT_FOUND]
    return pl.DataFrame(
        [
            {
                "area_code": row["area_code"],
                "as_of": dt.date.fromisoformat(row["as_of"]),
                "as_of_printed": row["as_of_printed"],
                "item": row["item"],
                "value_bound": "below" if row["value"].startswith("近") else "exact",
                "value": round(float(row["value"].strip("近")) * times[row["unit"]], 2),
                "is_conflicting": row["is_conflicting"] == "是",
            }
            for row in found
        ]
    )


@fills("fct_first_submission")
def first_submissions(sent: Sent) -> pl.DataFrame:
    """Rows that came first of each delivery."""
    return sent.stand.submitted.select("feed", "delivery", "delivery_end", "rows_received", "rows_accepted")
