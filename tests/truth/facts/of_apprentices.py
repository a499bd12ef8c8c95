"""The facts of apprentices."""

from __future__ import annotations

import polars as pl

from sandbox.truth.measure_06 import apprenticeships_by_then
from tests.truth.facts.registry import Sent, code, fills


@fills("fct_apprenticeship")
def apprenticeships(sent: Sent) -> pl.DataFrame:
    """Apprenticeships as they stand."""
    return sent.of_persons(apprenticeships_by_then(sent.stand)).select(
        "person_id", "uscc", "entrant_type", "target_level_code", "start_date", "planned_end_date", "ended_on",
        "in_training_to", "status", "birth_year", "sex",
        apprenticeship_id=pl.format(
            "XT{}{}", pl.col("start_date").dt.strftime("%Y%m"), pl.col("serial").cast(pl.String).str.zfill(8)
        ),
        work_area_code=code("county"),
        target_level_rank="rank",
    )  # fmt: skip
