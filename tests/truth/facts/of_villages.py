"""Skill villages, and what is offered and held in the country."""

from __future__ import annotations

import polars as pl

from tests.truth.facts.registry import Sent, code, fills, stated


@fills("fct_skill_village")
def villages(sent: Sent) -> pl.DataFrame:
    """Villages ever recognised."""
    is_revoked, is_merged = (pl.col(name).is_not_null() for name in ("revoked", "merged"))
    state = (
        pl.when(is_revoked).then(pl.lit("已撤销")).when(is_merged).then(pl.lit("已合并")).otherwise(pl.lit("已认定"))
    )
    return sent.scene.accepted["hrss/skill_villages"].select(
        "village_code",
        location_area_code=code("county"),
        recognised_on="recognised",
        recognition_round=pl.format("第{}批", "round"),
        status=state,
        revoked_on="revoked",
    )


@fills("fct_special_ability_item")
def special_ability_items(sent: Sent) -> pl.DataFrame:
    """Items that counties ever offered."""
    return sent.scene.accepted["hrss/special_ability_items"].select(
        item_code=pl.col("item").cast(pl.String),
        location_area_code=code("county"),
        valid_from="begun",
        valid_to="ended",
    )


@fills("fct_rural_teaching")
def rural_teaching(sent: Sent) -> pl.DataFrame:
    """Teachings and contests; 近 and 余 stand as the number that was written, with its bound."""
    said = pl.col("participants")
    nearly, and_some = pl.col("bound") == "近", (pl.col("bound") == "余") & (said >= 10)
    number = pl.when(nearly).then((said // 10 + 1) * 10).when(and_some).then(said // 10 * 10).otherwise(said)
    bound = pl.when(nearly).then(pl.lit("below")).when(and_some).then(pl.lit("above")).otherwise(pl.lit("exact"))
    return sent.scene.accepted["education/rural_teaching"].select(
        "activity_kind", "held_on", "provider_type", "teacher_entries", "student_entries",
        activity_id=pl.format("{}/{}", "reported_on", "serial"),
        county_code=code("county"),
        participants=number,
        participants_bound=pl.when(said.is_not_null()).then(bound),
    )  # fmt: skip


@fills("fct_prosperity_workshop")
def prosperity_workshops(sent: Sent) -> pl.DataFrame:
    """Workshops as each quarter's list has them."""
    return sent.scene.accepted["organisation/prosperity_workshops"].select(
        "listed_on", "kind", "is_running", "workers", stated("uscc"),
        workshop_id=pl.col("number").cast(pl.String),
        location_area_code=code("county"),
        monthly_gain_cny="gain",
        last_training_on="trained",
    )  # fmt: skip


@fills("fct_beautiful_workshop")
def beautiful_workshops(sent: Sent) -> pl.DataFrame:
    """Sums of the province, cumulative over the year."""
    return sent.scene.accepted["federations/beautiful_workshops"].select(
        "period_end", "organised_by", "trained_women", "reporting_women", "monthly_gain_sum_cny",
        period_start=pl.date(pl.col("period_end").dt.year(), 1, 1),
    )  # fmt: skip
