"""Measure what is listed as an outlier: `python -m benchmarks.outliers --scale 0.002 --seed 7`.

The cells are the sandbox's truth as readers are shown it. Without a planted fault, whatever is listed is a false alarm;
then faults are planted one by one, and it is counted how many are listed: a county's month halved, a slip of the unit
(ten times), two counties swapped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.warehouse import temporary_warehouse
from sandbox.parameters import DEFAULT_SCALE, Parameters
from tests.disclosure.warehouse_of_truth import make_cells, prepare
from tests.golden.warehouse_of_cases import Dbt
from tests.truth.facts import make_scene, true_cells

LARGEST_SHARE_OF_FALSE_ALARMS = 0.01
PLANTED = 60
# What is planted: cells of one period, chosen by the order of a hash so that every run plants the same. Of fewer than
# ten a half is told from chance by nobody.
_CHOSEN = """
create table chosen as
select indicator_code, area_code, period_type, period_end, value,
    lead(area_code) over (order by md5(indicator_code || area_code || period_end)) as other_area
from build.indicator_value
where area_level = 'county' and breakdown = 'total' and period_type in ('month', 'quarter')
    and value_status = 'reported' and value > 0 and numerator >= 10
order by md5(indicator_code || area_code || period_end) limit %s
"""
_FAULTS = {
    "halved": "v.value / 2",
    "ten times": "v.value * 10",
    "swapped with another county": (
        "coalesce((select o.value from build.indicator_value as o where o.indicator_code = v.indicator_code"
        " and o.area_code = c.other_area and o.period_type = v.period_type and o.period_end = v.period_end"
        " and o.breakdown = 'total'), v.value)"
    ),
}


def main() -> int:
    """Run the measurement that the command line asks for; 1 when there are too many false alarms."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outliers", description=__doc__)
    parser.add_argument("--scale", type=float, default=DEFAULT_SCALE, help="1 = the province, 39 million employed")
    parser.add_argument("--seed", type=int, default=Parameters().seed)
    options = parser.parse_args()
    with temporary_warehouse() as (dsn, folder):
        dbt = prepare(dsn, folder / "dbt")
        make_cells(dbt, true_cells(folder, make_scene(folder, scale=options.scale, seed=options.seed)))
        dbt.run("run", "--select", "outlier")
        with psycopg.connect(dsn) as connection:
            return _measure(connection, _statement(dbt))


def _statement(dbt: Dbt) -> str:
    path: Path = dbt.folder / "target/compiled/threegaps/models/marts/outlier.sql"
    return path.read_text(encoding="utf-8").replace('"warehouse"."build"."indicator_value"', "planted")


def _measure(connection: psycopg.Connection[Any], statement: str) -> int:
    judged = _one(
        connection,
        "select count(*) from build.indicator_value where area_level = 'county' and breakdown = 'total'"
        " and period_type in ('month', 'quarter') and value_status = 'reported' and value > 0",
    )
    listed = _one(connection, "select count(*) from build.outlier")
    print(f"{judged} cells, {listed} listed without a fault: {listed / max(judged, 1):.2%}")
    for code, number in connection.execute("select indicator_code, count(*) from build.outlier group by 1 order by 1"):
        print(f"  {code}: {number}")
    connection.execute(_CHOSEN.encode(), [PLANTED])
    for name, value in _FAULTS.items():
        found, planted = _found(connection, statement, value)
        print(f"{name}: {found} of {planted} planted are listed")
    return int(listed > LARGEST_SHARE_OF_FALSE_ALARMS * judged)


def _found(connection: psycopg.Connection[Any], statement: str, value: str) -> tuple[int, int]:
    """How many of the planted cells that differ by a third or more are listed, and how many there are."""
    connection.execute("drop table if exists planted, found")
    connection.execute("create temporary table planted as select * from build.indicator_value")
    connection.execute(
        f"update planted as v set value = {value} from chosen as c where v.breakdown = 'total'"
        " and (v.indicator_code, v.area_code, v.period_type, v.period_end)"
        " = (c.indicator_code, c.area_code, c.period_type, c.period_end)".encode()
    )
    connection.execute("analyze planted")
    connection.execute(f"create temporary table found as {statement}".encode())
    rows = connection.execute(
        "select count(*) filter (where f.indicator_code is not null), count(*) from chosen as c"
        " join planted as p using (indicator_code, area_code, period_type, period_end)"
        " left join found as f using (indicator_code, area_code, period_type, period_end)"
        " where p.breakdown = 'total' and p.value > 0 and abs(ln(p.value / c.value)) > ln(1.5)"
    ).fetchone()
    return (int(rows[0]), int(rows[1])) if rows else (0, 0)


def _one(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(main())
