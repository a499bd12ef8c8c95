"""The facts of the fifth action: competitions, dual certificates, professional titles and honours."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.truth.known import BEFORE
from sandbox.truth.measure_19 import stands
from tests.truth.facts.registry import Sent, code, fills, stated

GREEN_CHANNEL = ("02", "03")


@fills("fct_competition")
def competitions(sent: Sent) -> pl.DataFrame:
    """Competitions."""
    return sent.scene.accepted["hrss/competitions"].select(
        "host_kind",
        competition_id=pl.col("entry").cast(pl.String),
        contest_level="level",
        host_area_code=code("host"),
        held_on=pl.col("held").cast(pl.Date),
    )


@fills("fct_competition_entry")
def entries(sent: Sent) -> pl.DataFrame:
    """Entries, in the place of the host where the entrant's is not stated."""
    held = sent.scene.accepted["hrss/competitions"].select("host", "level", competition="entry")
    place = pl.coalesce(code("county"), code("host"), pl.lit(areas.UNKNOWN))
    return sent.of_persons(
        sent.scene.accepted["hrss/competition_entrants"].join(held, on="competition", how="left")
    ).select(
        "person_id", "uscc", "birth_year", "sex", stated("certificate_number"),
        competition_id=pl.col("competition").cast(pl.String),
        entrant_area_code=place,
        contest_level="level",
        entered_on=pl.col("entered").cast(pl.Date),
    )  # fmt: skip


@fills("fct_competition_result")
def results(sent: Sent) -> pl.DataFrame:
    """Results put to use."""
    return sent.scene.accepted["hrss/competition_results"].select(
        "kind",
        result_id=pl.col("entry").cast(pl.String),
        competition_id=pl.col("competition").cast(pl.String),
        leading_area_code=code("leading"),
        dated_on=pl.col("dated").cast(pl.Date),
    )


@fills("fct_dual_certificate")
def dual_certificates(sent: Sent) -> pl.DataFrame:
    """The list as it stands, by the numbers that were sent."""
    number = pl.col("number_sent")
    return stands(sent.stand).select(
        "enterprise_certificate", "issued_on",
        certificate_number=number,
        issuer_kind=number.str.slice(0, 1),
        level_code=number.str.slice(15, 1),
        issue_area_code=code("issue_county"),
        is_known_certificate=number == pl.col("certificate_number"),
    )  # fmt: skip


@fills("fct_certificate_equivalence")
def equivalences(sent: Sent) -> pl.DataFrame:
    """Entries of the province's directory."""
    return sent.scene.accepted["hrss/certificate_equivalences"].select(
        "industry_certificate", "occupation_code", "valid_from", "valid_to",
        entry_id=pl.col("serial").cast(pl.String),
        issue_area_code=pl.lit(areas.PROVINCE_OWN_LEVEL),
    )  # fmt: skip


@fills("fct_leading_talent")
def talents(sent: Sent) -> pl.DataFrame:
    """Honours and appointments."""
    return sent.of_persons(sent.scene.accepted["hrss/leading_talent"]).select(
        "person_id", "honour", "uscc", "birth_year", "sex",
        awarded_on=pl.col("awarded").cast(pl.Date),
        work_area_code=code("county"),
        ended_on=pl.col("ended").cast(pl.Date),
    )  # fmt: skip


@fills("fct_title_award")
def title_awards(sent: Sent) -> pl.DataFrame:
    """Applications that were decided by the opening day and not withdrawn."""
    decided = (pl.col("updated_at") < BEFORE) & ~pl.col("is_withdrawn")
    return sent.of_persons(sent.scene.accepted["hrss/title_awards"].filter(decided)).select(
        "person_id", "title_level", "route", "applied_on", "outcome", "awarded_on", "birth_year", "sex",
        award_id=pl.col("serial").cast(pl.String),
        employer_area_code=code("insured_in"),
        is_green_channel=pl.col("route").is_in(GREEN_CHANNEL),
    )  # fmt: skip
