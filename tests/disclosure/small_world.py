"""A small province of trainings in which small counts are frequent: enough for an attack within seconds.

Records are drawn by a seed, counted in all areas, periods and parts by the warehouse's own dimensions, and go through
the compiled model of disclosure as dbt would run it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg

from tests.disclosure.warehouse_of_truth import put_exact_cells

# Half a year has all kinds of sums over time but the year's own.
FIRST_DAY, LAST_DAY = dt.date(2025, 1, 1), dt.date(2025, 6, 30)
SECTORS = ("01", "02", "none")
_RECORDS = """
create temporary table training (county_code text, month_start date, focus_sector text, is_priority boolean)
"""
_CELLS = """
with spread as (
    select area_member.area_code, period_month.period_type, period_month.period_end, part.breakdown,
        part.breakdown_value, training.is_priority
    from training
    inner join core.period_month on training.month_start = period_month.month_start
    inner join core.area_member
        on training.county_code = area_member.county_code
        and period_month.period_end >= area_member.valid_from and period_month.period_end < area_member.valid_to
    cross join lateral (values ('total', 'total'), ('focus_sector', training.focus_sector))
        as part (breakdown, breakdown_value)
    where period_month.period_end between %(first_day)s and %(last_day)s
),
counted as (
    select area_code, period_type, period_end, breakdown, breakdown_value,
        count(*) as n_all, count(*) filter (where is_priority) as n_priority
    from spread
    group by area_code, period_type, period_end, breakdown, breakdown_value
)
select 'M01-3' as indicator_code, area_code, period_type, period_end, breakdown, breakdown_value, n_all as numerator,
    null::bigint as denominator, n_all as n_persons
from counted
union all
select 'M01-5', area_code, period_type, period_end, breakdown, breakdown_value, n_priority, n_all, n_all
from counted
"""


def make_small_world(connection: psycopg.Connection[Any], schema: str, model: Path, *, records: int, seed: int) -> None:
    """Make exact and shown cells of a small province in *schema*.

    Args:
        connection: To a warehouse with its dimensions.
        schema: A new one.
        model: The compiled SQL of `indicator_shown`.
        records: Completed trainings.
        seed: The same seed gives the same province.
    """
    connection.execute(f"create schema {schema}".encode())
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
        random.choice(SECTORS, records, p=(0.6, 0.05, 0.35)),
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
    put_exact_cells(connection, schema, cells)
    statement = model.read_text(encoding="utf-8")
    own = statement.replace('"build"."indicator_measured"', f'"{schema}"."indicator_measured"')
    if own == statement:
        raise ValueError("the model does not read indicator_measured")
    connection.execute(f"create table {schema}.indicator_shown as\n{own}".encode())
