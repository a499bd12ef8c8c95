"""What enterprises report from abroad."""

from __future__ import annotations

import polars as pl

from tests.truth.facts.registry import Sent, code, fills


@fills("fct_overseas_programme")
def overseas_programmes(sent: Sent) -> pl.DataFrame:
    """What is reported for each programme, year and kind of staff."""
    certificates = pl.col("certificates")
    return sent.scene.accepted["hrss/overseas_programmes"].select(
        programme_id=pl.col("programme").cast(pl.String),
        period_start=pl.date(pl.col("year"), 1, 1),
        period_end=pl.date(pl.col("year"), 12, 31),
        parent_uscc="uscc",
        registration_area_code=code("county"),
        country_name="country",
        staff_kind="staff",
        trained_person_times="trained",
        assessed_person_times="assessed",
        recognised_certificates=pl.when(certificates >= 0).then(certificates),
    )
