"""What rows touch: the columns' rule of a straight load and the server's of a merge say the same."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import polars as pl
import psycopg
import pytest
from psycopg import sql

from tests.integration.warehouse.conftest import WAGES
from threegaps.batch.columns import BlockColumn
from threegaps.batch.touched import Touched
from threegaps.contracts.model import Touch
from threegaps.ledger.touches import whole_months
from threegaps.warehouse.area_periods import area_periods_in

pytestmark = pytest.mark.integration

COUNTIES = (None, "330102", "330106", "341522")
DAYS = (None, dt.date(2025, 3, 9), dt.date(2025, 6, 30), dt.date(2026, 1, 1))
TOUCHES = (
    Touch(county_columns=("home",), from_columns=("start",), to_columns=()),
    Touch(county_columns=("home", "work"), from_columns=("start",), to_columns=("end",)),
    Touch(county_columns=("work", "home"), from_columns=("start", "end"), to_columns=("end", "infinity")),
    Touch(county_columns=("home",), from_columns=("start",), to_columns=("infinity",)),
    Touch(county_columns=(), from_columns=("start",), to_columns=("end",)),
)


@pytest.mark.parametrize("touch", TOUCHES)
def test_both_rules_find_the_same_counties_and_months(touch: Touch, warehouse: str) -> None:
    contract = replace(WAGES, touch=touch)
    with psycopg.connect(warehouse) as connection:
        connection.execute('create temporary table stated (home text, work text, start date, "end" date)')
        for row in itertools.product(COUNTIES, COUNTIES, DAYS, DAYS):
            frame = pl.DataFrame(
                [row], schema={"home": pl.String, "work": pl.String, "start": pl.Date, "end": pl.Date}, orient="row"
            )
            touched = Touched(contract)
            columns = {name: BlockColumn(name, frame[name], frame[name]) for name in frame.columns}
            touched.add(touched.frame(columns))
            connection.execute("delete from stated")
            connection.execute("insert into stated values (%s, %s, %s, %s)", row)
            merged = area_periods_in(connection, contract, sql.Identifier("stated"), sql.SQL("true"))
            assert "341522" not in {county for county, _, _ in merged}, row
            assert whole_months(touched.intervals()) == whole_months(merged), row


def test_whoever_lives_in_another_province_or_nobody_knows_where_touches_an_area_of_its_own(warehouse: str) -> None:
    contract = replace(WAGES, touch=TOUCHES[1])
    rows = [("341522", "330106"), (None, "330102"), (None, None)]
    with psycopg.connect(warehouse) as connection:
        connection.execute('create temporary table stated (home text, work text, start date, "end" date)')
        for home, work in rows:
            connection.execute("insert into stated values (%s, %s, '2025-03-09', '2025-03-09')", (home, work))
        merged = area_periods_in(connection, contract, sql.Identifier("stated"), sql.SQL("true"))
    assert {county for county, _, _ in merged} == {"OUT", "330106", "UNK", "330102", "unknown"}
