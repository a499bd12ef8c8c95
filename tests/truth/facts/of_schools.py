"""The facts of schools: what they are built up for, what they teach, what they found with enterprises."""

from __future__ import annotations

import polars as pl

from sandbox.truth.measure_03 import projects_by_then
from tests.truth.facts.registry import Sent, code, fills, stated

_FLAGS = {f"is_{flag}": flag for flag in ("new_occupation", "new_manufacturing", "digital")}


@fills("fct_technician_project")
def projects(sent: Sent) -> pl.DataFrame:
    """Projects of technician schools."""
    return projects_by_then(sent.stand).select(
        "school_code", "project_kind", "named_on", "accepted_on", "status",
        project_id=pl.col("serial").cast(pl.String),
        school_area_code=code("school_county"),
    )  # fmt: skip


@fills("dim_technician_programme")
def technician_programmes(sent: Sent) -> pl.DataFrame:
    """Specialties of technician schools."""
    return sent.scene.accepted["hrss/technician_school_programmes"].select(
        "school_code",
        "programme_code",
        school_area_code=code("county"),
        valid_from="opened_on",
        valid_until="closed_on",
        **_FLAGS,
    )


@fills("dim_vocational_programme")
def vocational_programmes(sent: Sent) -> pl.DataFrame:
    """Specialties that the education department lists."""
    return sent.scene.accepted["education/vocational_programmes"].select(
        "school_code",
        "programme_code",
        school_county_code=code("county"),
        is_rural_industry="rural_industry",
        valid_from="opened_on",
        valid_until="closed_on",
        **_FLAGS,
    )


@fills("dim_industry_college")
def colleges(sent: Sent) -> pl.DataFrame:
    """Colleges that schools and enterprises found together."""
    return sent.scene.accepted["industry/colleges"].select(
        "kind", "host_uscc", "valid_from", "valid_until", stated("school_code"),
        college_id="key",
        county_code=code("county"),
    )  # fmt: skip
