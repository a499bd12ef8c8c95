"""What remains of each feed on the opening day, after refusals, corrections and withdrawals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

import polars as pl

from sandbox import areas
from sandbox.calendar import OPENING_DAY, months, quarters, terms, years
from sandbox.feeds.model import Scene
from sandbox.truth.same_course import without_repeats

RANK = {"5": 1, "4": 2, "3": 3, "2": 4, "1": 5, "T": 6, "S": 7}
LABEL = {rank: code for code, rank in RANK.items()}
# Read whole on the opening day like other tables, but a term at a time: the last one had ended by then.
BY_TERM = ("hrss/technician_schools", "hrss/technician_school_projects", "hrss/technician_school_programmes")
BEFORE = datetime.combine(OPENING_DAY + timedelta(days=1), time())


@dataclass(frozen=True, slots=True)
class Known:
    """Accepted rows as they stand; `county` is the index of the area that the indicators go by, in `areas.all_codes`.

    Args:
        trainings: Trainings of whatever status, by county of residence.
        subsidised: Those completed and on the subsidy list and the sectors' own, by the county that handled them.
        spells: Employment spells, by county of work, with the area of residence as `home`.
        certificates: Certificates with `rank` of their level, by county of issue.
        enterprises: Skill enterprises, each once.
        wages: Folder with one file of contribution wages a month, by county of insurance.
        documents: Year of birth and sex by person, as far as the document says them.
        accepted: What was accepted of every feed, by its name and in the form of its module.
        submitted: feed, delivery, day on which its period ends, rows_received and rows_accepted of what came first.
    """

    trainings: pl.DataFrame
    subsidised: pl.DataFrame
    spells: pl.DataFrame
    certificates: pl.DataFrame
    enterprises: pl.DataFrame
    wages: Path
    documents: pl.DataFrame
    accepted: Mapping[str, pl.DataFrame]
    submitted: pl.DataFrame


def known(scene: Scene) -> Known:
    """Gather what the feeds kept."""
    accepted = scene.accepted
    return Known(
        _trainings(accepted["hrss/training_enrollments"])
        .with_columns(county=areas.index_of(areas.area_of(pl.col("lives_in"))))
        .join(_documents(scene.people.persons), on="person", how="left"),
        _subsidised(scene),
        _spells(accepted["hrss/employment_registrations"])
        .rename({"work": "county"})
        .with_columns(home=areas.index_of(areas.area_of(pl.col("lives_in"))))
        .join(_documents(scene.people.persons), on="person", how="left"),
        _certificates(accepted["hrss/certificates"]).rename({"issue_county": "county"}),
        _first_recognised(accepted["hrss/skill_enterprises"]),
        scene.truth_folder,
        _documents(scene.people.persons),
        accepted,
        _submitted(scene),
    )


def _first_recognised(roster: pl.DataFrame) -> pl.DataFrame:
    """Each enterprise once: two cities may list one, and the first to recognise it speaks for it."""
    return roster.sort("recognised", "county").unique("uscc", keep="first", maintain_order=True)


def _trainings(versions: pl.DataFrame) -> pl.DataFrame:
    """The last version of each training by then; one that was refused leaves nothing."""
    return (
        versions.filter(pl.col("updated_at") < BEFORE)
        .sort("enrollment_id", "version")
        .unique("enrollment_id", keep="last", maintain_order=True)
        .filter(~pl.col("is_refused"))
    )


def _subsidised(scene: Scene) -> pl.DataFrame:
    """person, county, completion_date and what a record is broken down by; null where its feed does not say."""
    trainings = _trainings(scene.accepted["hrss/training_enrollments"])
    ended = (pl.col("status") == "02") & pl.col("completion_date").is_not_null()
    codes = pl.Series(areas.all_codes())
    venue = pl.when(pl.col("venue") >= 0).then(pl.col("venue"))
    venue_code = venue.map_batches(lambda place: codes.gather(place), return_dtype=pl.String)
    counted = trainings.filter(ended & (pl.col("subsidy_source") != "00"))
    listed = counted.select(
        "person", "start_date", "completion_date", "occupation_code", "priority_groups", "focus_sector",
        "provider_type", "urban_rural_code", "lives_in",
        handled=pl.when(pl.col("handling_county_code") == "").then(venue_code).otherwise("handling_county_code"),
    )  # fmt: skip
    sectors = scene.accepted["sectors/training_enrollments"].filter(ended & pl.col("is_subsidised"))
    own = without_repeats(sectors, counted).select(
        "person",
        "start_date",
        "completion_date",
        "occupation_code",
        priority_groups=pl.lit(None, pl.String),
        focus_sector=pl.lit(None, pl.String),
        provider_type=pl.lit(None, pl.String),
        urban_rural_code=pl.lit(None, pl.String),
        lives_in="lives_in",
        handled=pl.coalesce(*(
            pl.when(pl.col(place) >= 0).then(pl.col(place)).map_batches(
                lambda chosen: codes.gather(chosen), return_dtype=pl.String
            )
            for place in ("handling", "venue")
        )),
    )  # fmt: skip
    return (
        pl.concat([listed, own])
        .join(_documents(scene.people.persons), on="person", how="left")
        .with_columns(county=areas.index_of(areas.area_of(pl.col("handled").fill_null(""))))
    )


def _documents(persons: pl.DataFrame) -> pl.DataFrame:
    """person, birth_year, sex: the document of a resident says both, another one neither."""
    resident = pl.col("id_type") == "01"
    year = pl.col("resident_id").str.slice(6, 4).cast(pl.Int64, strict=False)
    is_male = pl.col("resident_id").str.slice(16, 1).cast(pl.Int64, strict=False) % 2 == 1
    return persons.select(
        "person",
        birth_year=pl.when(resident).then(year),
        sex=pl.when(resident).then(pl.when(is_male).then(pl.lit("M")).otherwise(pl.lit("F"))),
    )


def _spells(spells: pl.DataFrame) -> pl.DataFrame:
    """Spells by then: one whose end is reported later is still open, if it was ever reported as open."""
    reported = pl.col("updated_at") < BEFORE
    was_open = (
        pl.col("end_date").is_not_null() & (pl.col("opened_at") < pl.col("updated_at")) & (pl.col("opened_at") < BEFORE)
    )
    return spells.filter(reported | was_open).with_columns(end_date=pl.when(reported).then("end_date"))


def _certificates(certificates: pl.DataFrame) -> pl.DataFrame:
    """Certificates by then: one whose revocation is reported later still stands."""
    reported = pl.col("updated_at") < BEFORE
    was_entered = pl.col("is_revoked") & (pl.col("entered_at") < pl.col("updated_at")) & (pl.col("entered_at") < BEFORE)
    return certificates.filter(reported | was_entered).with_columns(
        is_revoked=pl.col("is_revoked") & reported,
        revoked_on=pl.when(reported).then("revoked_on"),
        rank=pl.col("level_code").replace_strict(RANK, default=None, return_dtype=pl.Int64),
    )


def _submitted(scene: Scene) -> pl.DataFrame:
    """What came of each delivery at first; one of a period before the window, or after the opening day, is left out."""
    spans = [span for spans in (months, quarters, terms, years) for span in spans(OPENING_DAY)]
    ends = {span.key: span.last for span in spans}
    read = pl.when(pl.col("feed").is_in(BY_TERM)).then(terms(OPENING_DAY)[-1].last).otherwise(OPENING_DAY)
    of_period = pl.col("delivery").replace_strict(ends, default=None, return_dtype=pl.Date)
    return (
        pl.concat(scene.submitted)
        .with_columns(delivery_end=pl.when(pl.col("delivery") == "").then(read).otherwise(of_period))
        .filter(pl.col("delivery_end").is_not_null())
        .group_by("feed", "delivery", "delivery_end")
        .agg(pl.col("rows_received", "rows_accepted").sum())
    )
