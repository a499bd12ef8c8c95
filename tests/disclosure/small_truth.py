"""The sandbox's truth in little: every indicator and part of one period, with some rows refused.

The truth goes through the compiled models from the base cells to what is shown, as dbt would run them.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from tests.disclosure.release import Release, read_release
from tests.disclosure.small_world import run_chain
from tests.disclosure.warehouse_of_truth import put_base_cells
from tests.golden.warehouse_of_cases import make_table
from tests.truth.facts import make_scene, true_cells

# Of each indicator a year, or a quarter of what has no years.
YEAR, QUARTER = dt.date(2025, 12, 31), dt.date(2025, 3, 31)
# The same year with all that lies within it: a condition on cells.
ONE_YEAR = "period_end between '2025-01-01' and '2025-12-31'"
_PERIODS = """
create table {schema}.int_covered_period as
select covered.*
from build.int_covered_period as covered
where not is_window_open and exists (
    select 1
    from {schema}.indicator_base as cell
    where cell.indicator_code = covered.indicator_code
        and cell.period_type = covered.period_type and cell.period_end = covered.period_end
)
"""


def release(
    connection: psycopg.Connection[Any],
    manifest: dict[str, Any],
    models: Path,
    *,
    scale: float,
    seed: int,
    refused: float,
) -> Release:
    """One release of a small province.

    Args:
        connection: To a warehouse with its dimensions.
        manifest: Of the dbt project.
        models: The folder of the compiled SQL of the marts.
        scale: 1 = the province.
        seed: The same seed gives the same province.
        refused: Share of refused rows.
    """
    schema = f"truth_{seed}"
    connection.execute(f"create schema {schema}".encode())
    make_table(connection, manifest, "indicator_base", schema=schema)
    put_base_cells(connection, schema, _cells(scale, seed, refused))
    connection.execute(_PERIODS.format(schema=schema).encode())
    connection.execute(f"create view {schema}.indicator_part as select * from core.indicator_part".encode())
    run_chain(connection, schema, models)
    connection.commit()
    return read_release(connection, schema)


def _cells(scale: float, seed: int, refused: float) -> pl.DataFrame:
    """The truth of one period; the departments send nothing."""
    with tempfile.TemporaryDirectory() as name:
        cells = true_cells(Path(name), make_scene(Path(name), scale=scale, seed=seed, dirt=refused))
    years = cells.filter(pl.col("period_type") == "year", pl.col("period_end") == YEAR)
    quarters = cells.filter(pl.col("period_type") == "quarter", pl.col("period_end") == QUARTER)
    return pl.concat([years, quarters.join(years, on="indicator_code", how="anti")])
