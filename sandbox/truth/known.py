"""What remains of each feed on the opening day, after refusals, corrections and withdrawals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

import polars as pl

from sandbox import areas
from sandbox.calendar import OPENING_DAY
from sandbox.feeds.model import Scene

RANK = {"5": 1, "4": 2, "3": 3, "2": 4, "1": 5, "T": 6, "S": 7}
LABEL = {rank: code for code, rank in RANK.items()}
BEFORE = datetime.combine(OPENING_DAY + timedelta(days=1), time())


@dataclass(frozen=True, slots=True)
class Known:
    """Accepted rows as they stand; `county` is the index of the area that the indicators go by, in `areas.all_codes`.

    Args:
        completed: Trainings that ended with success, by county of residence.
        spells: Employment spells, by county of work.
        certificates: Certificates with `rank` of their level, by county of issue.
        enterprises: Skill enterprises.
        wages: Folder with one file of contribution wages a month, by county of work.
    """

    completed: pl.DataFrame
    spells: pl.DataFrame
    certificates: pl.DataFrame
    enterprises: pl.DataFrame
    wages: Path


def known(scene: Scene) -> Known:
    """Gather what the feeds kept."""
    accepted = scene.accepted
    return Known(
        _completed(accepted["hrss/training_enrollments"]),
        _spells(accepted["hrss/employment_registrations"]).rename({"work": "county"}),
        _certificates(accepted["hrss/certificates"]).rename({"issue_county": "county"}),
        accepted["hrss/skill_enterprises"],
        scene.truth_folder,
    )


def _completed(versions: pl.DataFrame) -> pl.DataFrame:
    """The last version of each training by then; one that was refused leaves nothing."""
    last = (
        versions.filter(pl.col("updated_at") < BEFORE)
        .sort("enrollment_id", "version")
        .unique("enrollment_id", keep="last", maintain_order=True)
        .filter(~pl.col("is_refused"))
    )
    return last.filter((pl.col("status") == "02") & pl.col("completion_date").is_not_null()).with_columns(
        county=areas.index_of(areas.area_of(pl.col("lives_in")))
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
