"""A small province of trainings in which small counts are frequent: enough for an attack within seconds.

Records are drawn by a seed, counted by county in all periods and parts by the warehouse's own dimensions, and go
through the compiled models from the base cells to what is shown, as dbt would run them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg

from tests.disclosure.warehouse_of_truth import CHAIN, put_base_cells
from tests.golden.warehouse_of_cases import make_table

# Half a year has all kinds of sums over time but the year's own.
FIRST_DAY, LAST_DAY = dt.date(2025, 1, 1), dt.date(2025, 6, 30)
# The records of the sectors' own departments do not say to which group a person belongs.
SECTORS = ("01", "02", "none", "unstated")
# What the province has of its own; everything else is the warehouse's.
OWN = (
    ("core", "indicator_part"),
    *(("build", relation) for relation in ("indicator_base", "int_covered_period", *CHAIN)),
)
_RECORDS = """
create temporary table training (county_code text, month_start date, focus_sector text, is_priority boolean)
"""
_CELLS = """
with spread as (
    select training.county_code as area_code, period_month.period_type, period_month.period_end, part.breakdown,
        part.breakdown_value, training.is_priority, training.focus_sector != 'unstated' as states_groups
    from training
    inner join core.period_month on training.month_start = period_month.month_start
    cross join lateral (values ('total', 'total'), ('focus_sector', training.focus_sector))
        as part (breakdown, breakdown_value)
    where period_month.period_end between %(first_day)s and %(last_day)s
),
counted as (
    select area_code, period_type, period_end, breakdown, breakdown_value,
        count(*) as n_all, count(*) filter (where states_groups) as n_stated,
        count(*) filter (where states_groups and is_priority) as n_priority
    from spread
    group by area_code, period_type, period_end, breakdown, breakdown_value
)
select 'M01-3' as indicator_code, area_code, period_type, period_end, breakdown, breakdown_value, n_all as numerator,
    null::bigint as denominator, n_all as n_persons
from counted
union all
select 'M01-5', area_code, period_type, period_end, breakdown, breakdown_value, n_priority, n_stated, n_stated
from counted
where n_stated > 0
"""
# Two indicators, their sectors and half a year of all that the warehouse has.
_PERIODS = """
create table {schema}.int_covered_period as
select * from build.int_covered_period
where indicator_code in ('M01-3', 'M01-5') and period_start >= %s and period_end <= %s
"""
_PARTS = """
create table {schema}.indicator_part as
select * from core.indicator_part
where breakdown in ('total', 'focus_sector')
"""


def make_small_world(
    connection: psycopg.Connection[Any],
    schema: str,
    manifest: dict[str, Any],
    models: Path,
    *,
    records: int,
    seed: int,
) -> None:
    """Make exact and shown cells of a small province in *schema*.

    Args:
        connection: To a warehouse with its dimensions.
        schema: A new one.
        manifest: Of the dbt project.
        models: The folder of the compiled SQL of the marts.
        records: Completed trainings.
        seed: The same seed gives the same province.
    """
    make_table(connection, manifest, "indicator_base", schema=schema)
    connection.execute(_RECORDS)
    counties = connection.execute(
        "select distinct county_code from core.area_member where area_code = '330000' order by county_code"
    ).fetchall()
    random = np.random.default_rng(seed)
    # some counties train hundreds, many a handful
    weights = random.pareto(1.2, len(counties)) + 0.05
    drawn = zip(
        random.choice(len(counties), records, p=weights / weights.sum()),
        random.integers(1, LAST_DAY.month + 1, records),
        random.choice(SECTORS, records, p=(0.5, 0.05, 0.3, 0.15)),
        random.random(records) < 0.4,
        strict=True,
    )
    with connection.cursor().copy("copy training from stdin") as copy:
        for county, month, sector, is_priority in drawn:
            copy.write_row((counties[county][0], FIRST_DAY.replace(month=int(month)), str(sector), bool(is_priority)))
    connection.execute("analyze training")
    cursor = connection.execute(_CELLS, {"first_day": FIRST_DAY, "last_day": LAST_DAY})
    names = [column.name for column in cursor.description or ()]
    cells = pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)
    put_base_cells(connection, schema, cells)
    connection.execute(_PERIODS.format(schema=schema).encode(), [FIRST_DAY, LAST_DAY])
    connection.execute(_PARTS.format(schema=schema).encode())
    run_chain(connection, schema, models)


def run_chain(connection: psycopg.Connection[Any], schema: str, models: Path) -> None:
    """Make what is shown in *schema* from its own base cells, periods and parts.

    Args:
        connection: To a warehouse with its dimensions.
        schema: Holds `indicator_base`, `int_covered_period` and `indicator_part`.
        models: The folder of the compiled SQL of the marts.
    """
    for model in CHAIN:
        statement = (models / f"{model}.sql").read_text(encoding="utf-8")
        for home, relation in OWN:
            statement = statement.replace(f'"{home}"."{relation}"', f'"{schema}"."{relation}"')
        connection.execute(f"create table {schema}.{model} as\n{statement}".encode())
        connection.execute(f"analyze {schema}.{model}".encode())
