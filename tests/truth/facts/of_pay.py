"""The facts of the fourth action: agreements, incentives, state-owned enterprises and finance."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.sasac.soe_payroll import PROVINCE
from tests.truth.facts.registry import Sent, code, fills


@fills("fct_collective_agreement")
def agreements(sent: Sent) -> pl.DataFrame:
    """Agreements and the enterprises that they cover; of a whole city in the city's own level."""
    place = pl.col("filing_area_code")
    own_level = pl.concat_str(place.str.slice(0, 4), pl.lit("99"))
    return sent.scene.accepted["union/collective_agreements"].select(
        "uscc", "scope", "is_skill_grade", "valid_from", "valid_until", "covered_employees",
        agreement_id=pl.col("number").cast(pl.String),
        filing_area_code=pl.when(place.str.ends_with("00")).then(own_level).otherwise(place),
    )  # fmt: skip


@fills("fct_incentive_plan")
def incentive_plans(sent: Sent) -> pl.DataFrame:
    """Filed plans."""
    return sent.scene.accepted["hrss/incentive_plans"].select(
        "uscc",
        "members",
        plan_number=pl.col("entry").cast(pl.String),
        plan_kind="kind",
        registration_area_code=code("county"),
        covers_high_skilled="is_open",
        high_skilled_members=pl.when(pl.col("high") >= 0).then("high"),
        valid_from="begun",
        valid_to="ended",
    )


@fills("fct_state_enterprise_year")
def state_enterprises(sent: Sent) -> pl.DataFrame:
    """Returns of state-owned enterprises; a provincial one belongs to no county."""
    is_provincial = pl.col("owner_level") == PROVINCE
    return sent.scene.accepted["sasac/soe_payroll"].select(
        "uscc", "owner_level", "in_scope", "has_skill_sequence", "wage_bill_cny", "average_staff",
        "high_skilled_wage_cny", "high_skilled_staff",
        year_start=pl.col("year").str.to_date("%Y"),
        year_end=pl.format("{}-12-31", "year"),
        registration_area_code=pl.when(is_provincial).then(pl.lit(areas.PROVINCE_OWN_LEVEL)).otherwise(code("county")),
    )  # fmt: skip


@fills("fct_skill_finance")
def skill_finance(sent: Sent) -> pl.DataFrame:
    """Sums of the institutions."""
    return sent.scene.accepted["finance_regulator/skill_finance"].select(
        "month", "product", "borrower_kind", "accounts", "borrowers", "insured_persons",
        institution_code=pl.format("{}-{}", "product", "institution"),
        county_code=code("county"),
        balance_cny=pl.col("balance_hundreds") * 100,
        npl_balance_cny=pl.col("npl_hundreds") * 100,
    )  # fmt: skip
