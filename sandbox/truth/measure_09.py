"""Measure 9, 行业技能生态圈: M09."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.calendar import OPENING_DAY
from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes
from sandbox.truth.rosters import in_force


@computes("M09-1")
def ecosystems(cells: Cells, known: Known) -> None:
    """Ecosystems that run; and the counties with at least one."""
    counties = range(len(areas.load().codes))
    for period in days("quarter", "year"):
        rows = known.accepted["hrss/skill_ecosystems"].filter(in_force(period.end, "approved", "ended"))
        cells.count("M09-1", period, rows, None)
        with_one = rows.filter(pl.col("county").is_in(counties)).unique("county")
        cells.count("M09-1", period, with_one, None, ("counties_with_one", "counties_with_one"))


@computes("M09-3")
def chains(cells: Cells, known: Known) -> None:
    """Chains in force, where their ecosystem lies."""
    unknown = areas.all_codes().index(areas.UNKNOWN)
    located = known.accepted["hrss/skill_ecosystems"].select("county", ecosystem="entry")
    every = known.accepted["hrss/skill_chains"].join(located, on="ecosystem", how="left")
    every = every.with_columns(pl.col("county").fill_null(unknown))
    for period in days("quarter", "year"):
        cells.count("M09-3", period, every.filter(in_force(period.end, "begun", "ended")), None)


@computes("M09-4")
def leading_assessors(cells: Cells, known: Known) -> None:
    """Chain leaders by their latest spell that are registered as assessors; a cancellation counts once it is known."""
    cancelled = pl.col("ended_on") <= OPENING_DAY
    registered = known.accepted["hrss/assessment_bodies"].with_columns(
        ends=pl.when(cancelled).then("ended_on").otherwise("planned_to")
    )
    for period in days("quarter", "year"):
        listed = known.accepted["industry/enterprises"].filter(in_force(period.end, "valid_from", "valid_until"))
        leaders = listed.sort("valid_from").unique("uscc", keep="last", maintain_order=True).filter("is_chain_leader")
        there = registered.filter(in_force(period.end, "valid_from", "ends"))
        cells.count("M09-4", period, leaders.join(there, on="uscc", how="semi"), None)


@computes("M09-2")
def services_inside(cells: Cells, known: Known) -> None:
    """Trainings and certificates of who worked for a member on the day; each with the latest post and membership."""
    located = known.accepted["hrss/skill_ecosystems"].select("county", ecosystem="entry")
    memberships = (
        known.accepted["hrss/skill_ecosystem_members"]
        .join(located, on="ecosystem", how="left")
        .with_columns(pl.col("county").fill_null(areas.all_codes().index(areas.UNKNOWN)))
        .select("uscc", "ecosystem", "county", "joined", "left")
    )
    posts = known.spells.select("person", "uscc", "start_date", "end_date").join(memberships, on="uscc")
    trainings = known.trainings.filter(pl.col("status") != "09").with_row_index("record")
    annulled = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    certificates = known.certificates.filter(~annulled).with_row_index("record")
    inside = pl.concat([
        _inside(trainings.select("record", "person", day="start_date"), posts, "training"),
        _inside(certificates.select("record", "person", day="issued_on"), posts, "assessment"),
    ])  # fmt: skip
    for period in periods("quarter", "ytd", "year"):
        rows = inside.filter(pl.col("day").is_between(period.start, period.end))
        cells.count("M09-2", period, rows, "person")
        for (service,), part in rows.group_by("service"):
            cells.count("M09-2", period, part, "person", ("skill_service", str(service)))


def _inside(records: pl.DataFrame, posts: pl.DataFrame, service: str) -> pl.DataFrame:
    """Each record with the post and the membership that it counts with, where there is one on its day."""
    day = pl.col("day")
    there = (
        (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
        & (pl.col("joined") <= day) & (pl.col("left").is_null() | (pl.col("left") >= day))
    )  # fmt: skip
    return (
        records.join(posts, on="person")
        .filter(there)
        .sort("start_date", "joined", "uscc", "ecosystem", descending=[False, False, True, True])
        .unique("record", keep="last", maintain_order=True)
        .select("person", "county", "day", service=pl.lit(service))
    )
