"""A warehouse whose cells are the sandbox's truth: from the base cells of counties on, everything is made by dbt as the
pipeline would make it, what is summed up and what is zero too.

That the indicators' models give the same base cells is tested elsewhere; with the truth a province of any size takes
minutes.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from tests.golden.warehouse_of_cases import Dbt, make_table

# Which models the cells need before the base cells, and which come after them.
BEFORE = (
    "dim_area", "dim_period", "area_member", "cell_edge", "indicator_part", "int_covered_period",
    "int_recognition_round",
)  # fmt: skip
CHAIN = ("indicator_rollup", "indicator_zero", "indicator_measured", "indicator_shown")
AFTER = (*CHAIN, "indicator_value")
# What the feeds of the sandbox cover on its opening day; published figures go further back.
FIRST_DAY, FIRST_DAY_OF_WAGES, LAST_DAY = dt.date(2024, 1, 1), dt.date(2023, 1, 1), dt.date(2026, 6, 30)
FIRST_PUBLISHED_DAY = dt.date(2013, 1, 1)
_BASE = """
insert into {schema}.indicator_base ({columns}, is_supplied)
select {columns}, true
from truth
inner join core.seed_indicator using (indicator_code)
inner join core.seed_method using (method)
inner join core.dim_area using (area_code)
-- what adds up is summed from its counties, unless it is served of larger areas only
where not seed_method.is_additive or dim_area.area_level in ('county', 'other') or not exists (
    select 1
    from core.indicator_part
    where indicator_part.indicator_code = truth.indicator_code and indicator_part.breakdown = truth.breakdown
        and indicator_part.area_level = 'county'
)
"""
KEY = ("indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value")
FIGURES = ("numerator", "denominator", "comparison_numerator", "comparison_denominator", "value", "n_persons")


def prepare(dsn: str, folder: Path) -> Dbt:
    """Seeds, dimensions and what the feeds cover, in an empty warehouse."""
    dbt = Dbt(dsn, folder)
    dbt.run("seed")
    manifest = dbt.manifest()
    with psycopg.connect(dsn) as connection:
        for table in ("feed_coverage", "fct_skill_enterprise", "fct_skill_village"):
            make_table(connection, manifest, table)
        connection.execute(
            "insert into core.feed_coverage (feed, covered_from, covered_to)"
            " select distinct feed, case when time_basis = 'published' then %s::date"
            " when feed = 'hrss/wage_records' then %s::date else %s::date end, %s::date"
            " from core.seed_indicator cross join string_to_table(horizon_feeds, ',') as feed where is_built",
            [FIRST_PUBLISHED_DAY, FIRST_DAY_OF_WAGES, FIRST_DAY, LAST_DAY],
        )
    dbt.run("run", "--select", *BEFORE)
    with psycopg.connect(dsn) as connection:
        # of cohorts whose window is open the truth says nothing
        connection.execute("delete from build.int_covered_period where is_window_open")
        make_table(connection, manifest, "indicator_base")
    return dbt


def make_cells(dbt: Dbt, truth: pl.DataFrame) -> None:
    """Put *truth* in the place of the base cells, and make from it what readers see."""
    with psycopg.connect(dbt.dsn) as connection:
        put_base_cells(connection, "build", truth)
    dbt.run("run", "--select", *AFTER)


def put_base_cells(connection: psycopg.Connection[Any], schema: str, truth: pl.DataFrame) -> None:
    """Put the cells of *truth* that an indicator's model gives into the base cells of *schema*."""
    known = [column for column in (*KEY, *FIGURES) if column in truth.columns]
    columns = ", ".join(known)
    connection.execute(f"truncate {schema}.indicator_base".encode())
    connection.execute(f"create temporary table truth (like {schema}.indicator_base) on commit drop".encode())
    with connection.cursor().copy(f"copy truth ({columns}) from stdin".encode()) as copy:
        for row in truth.select(known).iter_rows():
            copy.write_row(row)
    connection.execute(_BASE.format(schema=schema, columns=columns).encode())
    connection.execute(f"analyze {schema}.indicator_base".encode())
