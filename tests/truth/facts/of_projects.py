"""What stands around a training: job needs, services, the schools' enrolments, and the payments for it."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.calendar import OPENING_DAY
from sandbox.feeds.finance import training_subsidies
from sandbox.feeds.hrss import technician_schools
from sandbox.truth.known import BEFORE
from tests.truth.facts.registry import Sent, code, fills


@fills("fct_job_vacancy")
def vacancies(sent: Sent) -> pl.DataFrame:
    """Vacancies posted by the opening day, without those that were withdrawn by then."""
    ended = ~pl.col("is_left_open") & (pl.col("ended_on") <= OPENING_DAY)
    posted = sent.scene.accepted["hrss/job_vacancies"].filter(pl.col("posted_on") <= OPENING_DAY)
    return posted.filter(~(ended & pl.col("is_withdrawn"))).select(
        "project_code",
        "posted_on",
        vacancy_id=pl.col("serial").cast(pl.String),
        county_code=code("county"),
        status=pl.when(ended).then(pl.lit("2")).otherwise(pl.lit("1")),
    )


@fills("fct_employment_service")
def services(sent: Sent) -> pl.DataFrame:
    """Services entered by the opening day, without those that were withdrawn by then."""
    withdrawn = pl.col("is_withdrawn") & (pl.col("withdrawn_at") < BEFORE)
    given = sent.scene.accepted["hrss/employment_services"].filter((pl.col("entered_at") < BEFORE) & ~withdrawn)
    return sent.of_persons(given).select(
        "person_id", "service_kind", "served_on", "birth_year", "sex",
        service_id=pl.col("serial").cast(pl.String),
        service_area_code=code("county"),
    )  # fmt: skip


@fills("fct_technician_enrollment")
def enrollments(sent: Sent) -> pl.DataFrame:
    """Enrolments as the schools had handed them over."""
    origin = pl.when("has_origin").then("registration").otherwise(pl.lit(""))
    enrolled = technician_schools.standing(sent.scene.accepted[technician_schools.NAME], OPENING_DAY)
    return sent.of_persons(enrolled).select(
        "person_id", "school_code", "class_type", "entrant_type", "enrolled_on", "status", "birth_year",
        "sex",
        enrollment_id=pl.col("serial").cast(pl.String),
        school_area_code=code("school_county"),
        origin_area_code=areas.area_of(origin),
        is_intake=pl.col("entry_kind") == "1",
    )  # fmt: skip


@fills("fct_subsidy_payment")
def payments(sent: Sent) -> pl.DataFrame:
    """Payments and reversals entered by the opening day, without those that were cancelled by then."""
    entered = pl.col("paid_on").cast(pl.Datetime("us")) + pl.duration(days="delay", seconds="second")
    cancelled = pl.col("is_cancelled") & (entered + pl.duration(days=9, hours=1) < pl.lit(BEFORE))
    ledger = sent.scene.accepted[training_subsidies.NAME].filter((entered < pl.lit(BEFORE)) & ~cancelled)
    return ledger.select(
        "enrollment_id", "paid_on",
        payment_id=pl.col("serial").cast(pl.String),
        reverses_payment_id=pl.col("reversed_serial").cast(pl.String),
        paying_area_code=code("residence"),
        amount_cny=pl.col("cents") / 100,
    )  # fmt: skip
