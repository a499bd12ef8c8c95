"""Contribution wages, one month at a time, so that memory is bounded by a month."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.population import Population

MEDIAN_WAGE_2024 = 6_928.0  # 元/月: 全省一线工人平均月收入 (2021), taken for persons without a certificate
GROWTH_A_YEAR = 1.045
FLOOR_CNY, CAP_CNY = 4_020, 24_930
# The month in which contribution bases step every year, and the share of back payments in a month: more of them follow
# the step, since the new base is made known later (assumed).
STEP_MONTH, BACK_PAID, BACK_PAID_AFTER_STEP, MONTHS_AFTER_STEP = 7, 0.005, 0.03, 3
REPORTING = ("reports_monthly", "reports_floor", "reports_ten_thousands", "insured_in")
LEVEL_FACTOR = {"none": 1.0, "special": 1.0, "5": 1.03, "4": 1.09, "3": 1.19, "2": 1.34, "1": 1.52, "T": 1.85, "S": 2.1}


def month(population: Population, first: date, seed: int) -> pl.DataFrame:
    """Clean wage rows of the month that begins on `first`: person, employer, county, cents, and what is written."""
    rng = np.random.default_rng([seed, 77, first.year, first.month])
    last = pl.lit(first).dt.month_end()
    at_work = population.spells.filter(
        pl.col("is_insured")
        & (pl.col("start_date") <= last)
        & (pl.col("end_date").is_null() | (pl.col("end_date") >= first))
    ).select("person", "employer", "employer_code", "uscc", "work", "industry", "id_type", "resident_id")
    # Two spells with the same employer that meet in a month are one row.
    at_work = at_work.unique(["person", "employer"], keep="first", maintain_order=True)
    rows = at_work.join(
        population.persons.select("person", "level", "wage_noise"), on="person", maintain_order="left"
    ).join(
        population.employers.select("employer", *REPORTING),
        on="employer",
        maintain_order="left",
    )
    size = len(rows)
    # The base is reset once a year.
    years = (first.year - 2024) + (0 if first.month >= STEP_MONTH else -1)
    wage = (
        MEDIAN_WAGE_2024
        * GROWTH_A_YEAR**years
        * areas.load().wage_factor[rows["work"].to_numpy()]
        * rows["wage_noise"].to_numpy()
        * rows["level"].replace_strict(LEVEL_FACTOR, return_dtype=pl.Float64).to_numpy()
    )
    wage = np.where(rows["reports_monthly"].to_numpy(), wage * rng.uniform(0.93, 1.07, size), wage)
    wage = np.where(rows["reports_floor"].to_numpy(), np.minimum(wage, FLOOR_CNY - 1), wage)
    limit = np.where(wage > CAP_CNY, "1", np.where(wage < FLOOR_CNY, "2", "0"))
    cents = np.round(np.clip(wage, FLOOR_CNY, CAP_CNY) * 100).astype(np.int64)
    in_ten_thousands = rows["reports_ten_thousands"].to_numpy()
    # 万元 with two decimals: the amount is rounded to 100 元 so that nothing is lost on the way.
    cents = np.where(in_ten_thousands, np.round(cents / 10_000).astype(np.int64) * 10_000, cents)
    rows = rows.with_columns(
        work="insured_in",
        cents=pl.Series(cents),
        base_limit=pl.Series(limit),
        scheme=pl.lit("110"),
        payment_type=pl.lit("01"),
    )
    follows_step = 0 < first.month - STEP_MONTH <= MONTHS_AFTER_STEP
    back_paid = BACK_PAID_AFTER_STEP if follows_step else BACK_PAID
    draw = pl.Series(rng.random(size))
    extra = [
        rows.filter(draw < 0.015).with_columns(scheme=pl.lit("210")),
        rows.filter((draw >= 0.015) & (draw < 0.025)).with_columns(scheme=pl.lit("410")),
        rows.filter((draw >= 0.025) & (draw < 0.025 + back_paid)).with_columns(payment_type=pl.lit("02")),
    ]
    complete = pl.concat([rows, *extra])
    return complete.with_columns(
        wage_month=pl.lit(f"{first:%Y%m}"),
        recorded=pl.Series(np.datetime64(first) + rng.integers(4, 26, len(complete))),
        correction_number=pl.lit(0),
        withdrawn=pl.lit(False),
    )
