"""A warehouse whose exact cells are the sandbox's truth: everything from disclosure on is made from them by dbt.

That the pipeline gives the same cells is tested elsewhere; with the truth a province of any size takes minutes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from tests.golden.warehouse_of_cases import Dbt

# Which models disclosure needs before the exact cells, and which come after them.
BEFORE = ("dim_area", "feed_coverage", "dim_period", "area_member", "cell_edge")
AFTER = ("indicator_shown", "indicator_value")
COLUMNS = (
    "indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value", "numerator",
    "denominator", "comparison_numerator", "comparison_denominator", "value", "n_persons",
)  # fmt: skip

_TRUTH = """
create table {schema}.truth (
    indicator_code text, area_code text, period_type text, period_end date, breakdown text, breakdown_value text,
    numerator numeric, denominator numeric, comparison_numerator numeric, comparison_denominator numeric,
    value numeric, n_persons bigint
)
"""
# What adds up has a cell for every area: nothing counted is a zero.
_MEASURED = """
create table {schema}.indicator_measured as
with zeros as (
    select distinct truth.indicator_code, dim_area.area_code, truth.period_type, truth.period_end, truth.breakdown,
        truth.breakdown_value, seed_indicator.method
    from {schema}.truth
    inner join core.seed_indicator on truth.indicator_code = seed_indicator.indicator_code
    inner join core.dim_area
        on dim_area.area_level = any(string_to_array(seed_indicator.levels, ','))
        and truth.period_end >= dim_area.valid_from and truth.period_end < dim_area.valid_to
    where seed_indicator.method in ('count', 'sum', 'ratio_of_sums')
),
cells as (
    -- of a ratio of shares the truth has the shares alone, not their parts
    select truth.*
    from {schema}.truth
    inner join core.seed_indicator on truth.indicator_code = seed_indicator.indicator_code
    where seed_indicator.method != 'ratio_of_shares' or truth.comparison_denominator is not null
    union all
    select zeros.indicator_code, zeros.area_code, zeros.period_type, zeros.period_end, zeros.breakdown,
        zeros.breakdown_value, 0, case when zeros.method = 'ratio_of_sums' then 0 end, null, null, null, 0
    from zeros
    left join {schema}.truth
        using (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
    where truth.indicator_code is null
)
select cells.indicator_code, cells.area_code, dim_area.area_level, cells.period_type, dim_period.period_start,
    cells.period_end, dim_period.period_label, dim_period.prior_year_end, cells.breakdown, cells.breakdown_value,
    cells.numerator, cells.denominator, cells.comparison_numerator, cells.comparison_denominator, cells.value,
    cells.n_persons, null::bigint as n_numerator_persons, null::bigint as n_complement_persons,
    null::bigint as n_employers, null::numeric as largest_employer_share, null::text as source_kind,
    true as is_supplied, false as is_immature, seed_indicator.audience, 'final' as maturity,
    dim_period.period_start as covered_from, cells.period_end as covered_to, cells.period_end as data_as_of
from cells
inner join core.seed_indicator on cells.indicator_code = seed_indicator.indicator_code
inner join core.dim_area on cells.area_code = dim_area.area_code
inner join core.dim_period
    on cells.period_type = dim_period.period_type and cells.period_end = dim_period.period_end
"""


def prepare(dsn: str, folder: Path) -> Dbt:
    """Seeds and dimensions in an empty warehouse."""
    dbt = Dbt(dsn, folder)
    dbt.run("seed")
    dbt.run("run", "--select", *BEFORE)
    with psycopg.connect(dsn) as connection:
        connection.execute("create schema if not exists build")
    return dbt


def make_cells(dbt: Dbt, truth: pl.DataFrame) -> None:
    """Put *truth* in the place of the exact cells, and make from it what readers see."""
    with psycopg.connect(dbt.dsn) as connection:
        put_exact_cells(connection, "build", truth)
    dbt.run("run", "--select", *AFTER)


def put_exact_cells(connection: psycopg.Connection[Any], schema: str, truth: pl.DataFrame) -> None:
    """Make `indicator_measured` in *schema* from *truth*, with the zeros of what adds up."""
    connection.execute(f"drop table if exists {schema}.truth, {schema}.indicator_measured cascade".encode())
    connection.execute(_TRUTH.format(schema=schema).encode())
    known = [column for column in COLUMNS if column in truth.columns]
    with connection.cursor().copy(f"copy {schema}.truth ({', '.join(known)}) from stdin".encode()) as copy:
        for row in truth.select(known).iter_rows():
            copy.write_row(row)
    connection.execute(f"analyze {schema}.truth".encode())
    connection.execute(_MEASURED.format(schema=schema).encode())
    connection.execute(f"analyze {schema}.indicator_measured".encode())
