"""One warehouse that holds the rows of all golden cases, built once: core facts in, `indicator_value` out."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.golden.golden_case import ROW_DEFAULTS, Case, all_rows

DBT_PROJECT = Path(__file__).parents[2] / "dbt_project"
# As far as the cases know the world: the days that each feed covers. They need years of their own, far before the first
# period of the pipeline.
FIRST_DAY = dt.date(2013, 1, 1)
HORIZON = dt.date(2026, 6, 30)
OTHER_HORIZONS = {"statistics/resident_income": dt.date(2023, 12, 31)}
# The one that every indicator has cells of, whatever its case.
YEAR_OF_ALL = 2025
FACTS = tuple(ROW_DEFAULTS)
# The cells, and what the relations between them are checked with.
CELLS_AND_CHECKS = ["+indicator_value", "indicator_cell", "int_source_check", "int_stock_change"]
ALL_THAT_IS_MADE = [
    *CELLS_AND_CHECKS,
    "+indicator_value+",
    "indicator_rank",
    "dim_feed",
    "dim_indicator",
    "dim_target",
    "dim_reported_figure",
    "dim_breakdown",
    "cell_edge",
]
# Pairs of indicators that count the same, or one a part of what the other counts.
_KIN = """
with counted as (
    select distinct indicator_code, measure
    from core.seed_measure
),
alike as (
    select measure, measure as other_measure
    from counted
    union
    select measure, whole_measure
    from core.seed_subset
    where whole_measure != 'none'
    union
    select whole_measure, measure
    from core.seed_subset
    where whole_measure != 'none'
)
select one.indicator_code, other.indicator_code
from counted as one
inner join alike on one.measure = alike.measure
inner join counted as other on alike.other_measure = other.measure
"""


@dataclass(frozen=True, slots=True)
class Dbt:
    """dbt against one database, with target and logs in a folder of its own."""

    dsn: str
    folder: Path

    def run(self, *arguments: str) -> None:
        """Runs one dbt command; raises with its output when it fails."""
        parts = conninfo_to_dict(self.dsn)
        environment = {
            **os.environ,
            "THREEGAPS_WAREHOUSE_HOST": str(parts["host"]),
            "THREEGAPS_WAREHOUSE_PORT": str(parts["port"]),
            "THREEGAPS_WAREHOUSE_USER": str(parts["user"]),
            "THREEGAPS_WAREHOUSE_PASSWORD": str(parts["password"]),
            "THREEGAPS_WAREHOUSE_DATABASE": str(parts["dbname"]),
        }
        command = [shutil.which("dbt", path=str(Path(sys.executable).parent)) or "dbt", *arguments]
        command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        command += ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"dbt {' '.join(arguments)} failed:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}")

    def manifest(self) -> dict[str, Any]:
        """The manifest of the last command."""
        content: dict[str, Any] = json.loads((self.folder / "target" / "manifest.json").read_text(encoding="utf-8"))
        return content


def build(dsn: str, cases: Iterable[Case], folder: Path, *, only_cells: bool = False) -> dict[str, Any]:
    """Builds everything between the core facts and the marts from the rows of *cases*; gives dbt's manifest.

    Args:
        dsn: A migrated warehouse.
        cases: Whose rows are loaded.
        folder: For dbt's target and logs.
        only_cells: Nothing is asked but the cells of the cases' own periods: no other year, and nothing made of cells.
    """
    cases = list(cases)
    dbt = Dbt(dsn, folder)
    dbt.run("seed")
    manifest = dbt.manifest()
    with psycopg.connect(dsn) as connection:
        for fact in FACTS:
            make_table(connection, manifest, fact)
        make_table(connection, manifest, "feed_coverage")
        feeds = connection.execute(
            "select distinct feed from core.seed_indicator, string_to_table(horizon_feeds, ',') as feed where is_built"
        ).fetchall()
        for (feed,) in feeds:
            connection.execute(
                "insert into core.feed_coverage (feed, covered_from, covered_to) values (%s, %s, %s)",
                [feed, FIRST_DAY, OTHER_HORIZONS.get(feed, HORIZON)],
            )
        for tables in all_rows(cases):
            for table, rows in tables.items():
                for row in rows:
                    _insert(connection, table, row)
        connection.execute(
            "insert into ops.build (status, kind, as_of, requested_by) values ('running', 'full', %s, 'golden')",
            [HORIZON],
        )
        for fact in (*FACTS, "feed_coverage"):
            connection.execute(sql.SQL("analyze core.{}").format(sql.Identifier(fact)))
    replaced = [*FACTS, "feed_coverage", "path:models/staging"]
    dbt.run("run", "--select", "+int_covered_period", "--exclude", *replaced)
    with psycopg.connect(dsn) as connection:
        _leave_out_other_periods(connection, manifest, cases, None if only_cells else YEAR_OF_ALL)
    wanted = CELLS_AND_CHECKS if only_cells else ALL_THAT_IS_MADE
    dbt.run("run", "--select", *wanted, "--exclude", *replaced, "+int_covered_period")
    return manifest


def _leave_out_other_periods(
    connection: psycopg.Connection[Any], manifest: dict[str, Any], cases: Iterable[Case], year_of_all: int | None
) -> None:
    """Cells of no case's period are a million zeros, which nobody looks at.

    What is made are those that are compared, or read by what is, those a year before them, those of indicators that
    count the same or a part of it, which hide each other, and *year_of_all* of every indicator for the tests of what is
    shown.
    """
    connection.execute("create temp table compared (indicator_code text, period_label text) on commit drop")
    kin: dict[str, set[str]] = {}
    for code, other in connection.execute(_KIN).fetchall():
        kin.setdefault(code, set()).add(other)
    pairs = {
        (code, label)
        for case in cases
        for code in {case.indicator, *_read_by(manifest, case.indicator), *kin.get(case.indicator, ())}
        for label in case.periods
    }
    with connection.cursor() as cursor:
        cursor.executemany("insert into compared values (%s, %s)", sorted(pairs))
    connection.execute(
        "delete from build.int_covered_period as c where extract(year from c.period_end) is distinct from %s"
        " and not exists (select 1 from compared as w join core.dim_period as p using (period_label)"
        " where w.indicator_code = c.indicator_code and p.period_type = c.period_type"
        " and c.period_end in (p.period_end, p.prior_year_end))",
        [year_of_all],
    )
    connection.execute("analyze build.int_covered_period")


def _read_by(manifest: dict[str, Any], indicator: str) -> set[str]:
    """The other indicators whose figures an indicator's are made of."""
    codes = {
        name: node["config"]["meta"]["indicator"]
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and "indicator" in node["config"].get("meta", {})
    }
    waiting = [name for name, code in codes.items() if code == indicator]
    read: set[str] = set()
    while waiting:
        parents = manifest["nodes"][waiting.pop()]["depends_on"]["nodes"]
        waiting += [name for name in parents if name.startswith("model.") and name not in read]
        read |= {name for name in parents if name.startswith("model.")}
    return {codes[name] for name in read & codes.keys()}


def run_tests(dsn: str, folder: Path) -> dict[str, str]:
    """Runs dbt's own tests, of units and of keys, in a warehouse that `build` has made; the status of each.

    Raises when one fails.
    """
    dbt = Dbt(dsn, folder)
    manifest = dbt.manifest()
    with psycopg.connect(dsn) as connection:
        # dbt takes the types of a test's inputs from the database.
        for node in manifest["nodes"].values():
            if node["resource_type"] == "model" and node["schema"] == "staging":
                make_table(connection, manifest, node["name"])
    dbt.run("test", "--select", "test_type:unit", "+indicator_value,test_type:data", "indicator_cell,test_type:data")
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {one["unique_id"]: one["status"] for one in results}


def make_table(
    connection: psycopg.Connection[Any], manifest: dict[str, Any], model: str, *, schema: str | None = None
) -> None:
    """Creates the table of a model from its contract, in *schema* or in its own."""
    node = manifest["nodes"][f"model.threegaps.{model}"]
    schema = schema or node["schema"]
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(column["data_type"]))
        for name, column in node["columns"].items()
    )
    table = sql.Identifier(schema, model)
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    connection.execute(sql.SQL("create table {} ({})").format(table, columns))


def _insert(connection: psycopg.Connection[Any], table: str, row: dict[str, Any]) -> None:
    # Codes look like numbers in a case file; as quoted text they fit whatever type the column has.
    values = [value if value is None or isinstance(value, bool) else str(value) for value in row.values()]
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    marks = sql.SQL(", ").join(
        sql.Literal(value) if value is None or isinstance(value, bool) else sql.SQL("{}").format(value)
        for value in values
    )
    connection.execute(sql.SQL("insert into core.{} ({}) values ({})").format(sql.Identifier(table), columns, marks))
