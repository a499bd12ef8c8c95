"""The sandbox's truth in little: every indicator and part of one period, in releases that differ by what was refused.

The truth goes through the compiled models from the base cells to what is shown, as dbt would run them.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from tests.disclosure.published import Release, read_release
from tests.disclosure.small_world import run_chain
from tests.disclosure.warehouse_of_truth import put_base_cells
from tests.golden.warehouse_of_cases import make_table
from tests.truth.facts import make_scene, true_cells

SCALE = 0.0001
# Of each indicator a year, or a quarter of what has no years: sums over time are attacked in the province of trainings.
YEAR, QUARTER = dt.date(2025, 12, 31), dt.date(2025, 3, 31)
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


def releases(
    connection: psycopg.Connection[Any],
    manifest: dict[str, Any],
    models: Path,
    *,
    seed: int,
    refused: Sequence[float],
) -> Iterator[Release]:
    """The releases of one small province.

    Args:
        connection: To a warehouse with its dimensions.
        manifest: Of the dbt project.
        models: The folder of the compiled SQL of the marts.
        seed: The same seed gives the same province.
        refused: Share of refused rows, release by release.
    """
    for number, dirt in enumerate(refused):
        schema = f"truth_{seed}_{number}"
        connection.execute(f"create schema {schema}".encode())
        make_table(connection, manifest, "indicator_base", schema=schema)
        put_base_cells(connection, schema, _cells(seed, dirt))
        connection.execute(_PERIODS.format(schema=schema).encode())
        connection.execute(f"create view {schema}.indicator_part as select * from core.indicator_part".encode())
        run_chain(connection, schema, models)
        yield read_release(connection, schema)
        connection.commit()


def _cells(seed: int, dirt: float) -> pl.DataFrame:
    """The truth of one period; the departments send nothing."""
    with tempfile.TemporaryDirectory() as name:
        cells = true_cells(Path(name), make_scene(Path(name), scale=SCALE, seed=seed, dirt=dirt))
    years = cells.filter(pl.col("period_type") == "year", pl.col("period_end") == YEAR)
    quarters = cells.filter(pl.col("period_type") == "quarter", pl.col("period_end") == QUARTER)
    return pl.concat([years, quarters.join(years, on="indicator_code", how="anti")])
