"""The facts that the first indicators are made of: persons, their trainings, work, wages and certificates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from sandbox import areas, published_income
from sandbox.calendar import add_months
from sandbox.feeds.sectors.training_enrollments import SECTORS
from sandbox.population.codes import INDUSTRIES
from tests.truth.facts.registry import Sent, code, fills, stated


@fills("fct_training")
def trainings(sent: Sent) -> pl.DataFrame:
    """Trainings of whatever status."""
    handled = pl.coalesce(stated("handling_county_code"), code("venue"))
    return sent.of_persons(sent.stand.trainings).select(
        "enrollment_id", "person_id", "ends_in_assessment", "is_online", "start_date", "planned_end_date",
        "completion_date", "left_on", "assessment_failed_on", "status", "is_order_based", "subsidy_source",
        "birth_year", "sex",
        *map(stated, (
            "urban_rural_code", "priority_groups", "graduate_status", "focus_sector", "occupation_code", "project_code",
            "provider_type", "provider_uscc",
        )),
        residence_area_code=areas.area_of(pl.col("lives_in")),
        handling_area_code=areas.area_of(handled.fill_null("")),
        venue_county_code=code("venue"),
    )  # fmt: skip


@fills("fct_sector_training")
def sector_trainings(sent: Sent) -> pl.DataFrame:
    """The sectors' own trainings."""
    names, letters = ({number: getattr(sector, name) for number, sector in enumerate(SECTORS)} for name in _SECTOR)
    handled = pl.coalesce(code("handling"), code("venue"))
    number = pl.format(
        "{}{}{}",
        pl.col("sector").replace_strict(letters, return_dtype=pl.String),
        pl.col("reported_on").dt.strftime("%Y%m"),
        pl.col("serial").cast(pl.String).str.zfill(6),
    )
    return sent.of_persons(sent.scene.accepted["sectors/training_enrollments"]).select(
        "person_id", "start_date", "completion_date", "status", "is_subsidised", "birth_year", "sex",
        stated("occupation_code"),
        department=pl.col("sector").replace_strict(names, return_dtype=pl.String),
        enrollment_id=number,
        residence_area_code=areas.area_of(pl.col("lives_in")),
        handling_area_code=areas.area_of(handled.fill_null("")),
    )  # fmt: skip


_SECTOR = ("name", "letters")


@fills("fct_employment_spell")
def spells(sent: Sent) -> pl.DataFrame:
    """Employment spells."""
    return sent.of_persons(sent.stand.spells).select(
        "person_id", "employer_code", "uscc", "employer_type", "employment_form", "is_insured", "start_date",
        "end_date", "birth_year", "sex", stated("urban_rural_code"),
        work_area_code=code("county"),
        residence_area_code=areas.area_of(pl.col("lives_in")),
    )  # fmt: skip


@fills("fct_certificate")
def certificates(sent: Sent) -> pl.DataFrame:
    """Certificates."""
    is_levelled = pl.col("certificate_type") == "01"
    return sent.of_persons(sent.stand.certificates).select(
        "person_id", "certificate_type", "certificate_number", "occupation_code", "level_code", "issued_on",
        "valid_until", "is_revoked", "revoked_on", "is_direct_recognition", "route", stated("urban_rural_code"),
        issuer_kind=pl.when(is_levelled).then(pl.col("certificate_number").str.slice(0, 1)),
        level_rank="rank",
        issue_area_code=code("county"),
        residence_area_code=areas.area_of(pl.col("lives_in")),
    )  # fmt: skip


@fills("fct_skill_enterprise")
def enterprises(sent: Sent) -> pl.DataFrame:
    """Skill-based enterprises."""
    stands = pl.col("revoked").is_null()
    return sent.stand.enterprises.select(
        "uscc",
        county_code=code("county"),
        recognised_on="recognised",
        recognition_round=pl.col("round").cast(pl.String),
        status=pl.when(stands).then(pl.lit("已认定")).otherwise(pl.lit("已撤销")),
        revoked_on="revoked",
    )


@fills("fct_wage")
def wages(sent: Sent) -> Iterator[pl.DataFrame]:
    """Contribution wages, a frame a month."""
    for file in sorted(sent.scene.truth_folder.glob("*.parquet")):
        yield _wages_of_month(sent, pl.read_parquet(file))


def _wages_of_month(sent: Sent, rows: pl.DataFrame) -> pl.DataFrame:
    industries = dict(enumerate(INDUSTRIES.tolist()))
    return sent.of_persons(rows).select(
        "person_id", "scheme", "payment_type", "base_limit", "birth_year", "sex",
        employer_code=pl.col("employer").cast(pl.String),
        work_area_code=code("work"),
        industry_code=pl.col("industry").replace_strict(industries, return_dtype=pl.String),
        wage_month=pl.col("wage_month").str.to_date("%Y%m"),
        wage_cny_month=pl.col("cents") / 100,
    )  # fmt: skip


_PUBLISHED = ("all", "urban", "rural", "growth_all", "growth_urban", "growth_rural", "ratio")


@fills("fct_resident_income")
def incomes(_: Sent) -> pl.DataFrame:
    """Incomes as they were published."""
    rows = []
    for delivery, published in published_income.figures().items():
        start = dt.date(int(delivery[:4]), 1, 1)
        end = add_months(start, 3 * int(delivery[5])) - dt.timedelta(days=1)
        for row in published:
            if row["area_code"].isdigit():
                figures = [_number(row.get(name, "")) for name in _PUBLISHED]
                marks = (row.get("definition") or "integrated", row.get("basis") or "printed")
                rows.append((row["area_code"], start, end, *figures, *marks))
    names = (
        "area_code", "period_start", "period_end", "income_all_cny", "income_urban_cny", "income_rural_cny",
        "growth_all_pct", "growth_urban_pct", "growth_rural_pct",
        "urban_rural_ratio_printed", "definition", "basis",
    )  # fmt: skip
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
