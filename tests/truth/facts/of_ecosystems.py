"""Ecosystems, their chains, the leaders of chains, who assesses skills, and enterprises hit from outside."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.calendar import OPENING_DAY
from tests.truth.facts.registry import Sent, code, fills


@fills("fct_skill_ecosystem")
def ecosystems(sent: Sent) -> pl.DataFrame:
    """Ecosystems ever approved."""
    return sent.scene.accepted["hrss/skill_ecosystems"].select(
        "leader_uscc",
        ecosystem_id=pl.col("entry").cast(pl.String),
        location_area_code=code("county"),
        approved_on="approved",
        ended_on="ended",
    )


@fills("fct_skill_chain")
def chains(sent: Sent) -> pl.DataFrame:
    """Chains ever built, where their ecosystem lies."""
    known = sent.scene.accepted["hrss/skill_ecosystems"].select(ecosystem="entry", place=code("county"))
    return sent.scene.accepted["hrss/skill_chains"].join(known, on="ecosystem", how="left").select(
        chain_id=pl.col("entry").cast(pl.String),
        ecosystem_id=pl.col("ecosystem").cast(pl.String),
        location_area_code=pl.col("place").fill_null(areas.UNKNOWN),
        valid_from="begun",
        valid_to="ended",
    )  # fmt: skip


@fills("dim_cluster_enterprise")
def cluster_enterprises(sent: Sent) -> pl.DataFrame:
    """Chain leaders and enterprises of clusters."""
    return sent.scene.accepted["industry/enterprises"].select(
        "uscc", "is_chain_leader", "valid_from", "valid_until", county_code=code("county")
    )


@fills("dim_affected_enterprise")
def affected_enterprises(sent: Sent) -> pl.DataFrame:
    """Spells on the list of affected enterprises, of entries with a code."""
    return (
        sent.scene.accepted["industry/affected_enterprises"]
        .filter(pl.col("uscc").is_not_null())
        .select("uscc", "valid_from", "valid_until", entry_id=pl.col("entry").str.split("|").list.first())
    )


@fills("fct_assessment_body")
def assessment_bodies(sent: Sent) -> pl.DataFrame:
    """Registrations of assessors; one that is cancelled later still ends as it was to."""
    cancelled = pl.col("ended_on") <= OPENING_DAY
    return sent.scene.accepted["hrss/assessment_bodies"].select(
        "uscc",
        "valid_from",
        body_code=pl.col("serial").cast(pl.String),
        registration_area_code=code("insured_in"),
        status=pl.when((pl.col("status") == "3") & ~cancelled).then(pl.lit("1")).otherwise("status"),
        valid_to=pl.when(cancelled).then("ended_on").otherwise("planned_to"),
    )


@fills("fct_ecosystem_member")
def members(sent: Sent) -> pl.DataFrame:
    """Memberships ever, where their ecosystem lies."""
    known = sent.scene.accepted["hrss/skill_ecosystems"].select(ecosystem="entry", place=code("county"))
    return sent.scene.accepted["hrss/skill_ecosystem_members"].join(known, on="ecosystem", how="left").select(
        ecosystem_id=pl.col("ecosystem").cast(pl.String).str.zfill(6),
        location_area_code=pl.col("place").fill_null(areas.UNKNOWN),
        member_uscc="uscc",
        joined_on="joined",
        left_on="left",
    )  # fmt: skip
