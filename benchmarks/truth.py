"""Hold the figures against the truth of a province of any size: `python -m benchmarks.truth --scale 0.002 --seed 7`.

`THREEGAPS_SANDBOX_OPENING_DAY=2026-12-31` before it is the day on which the windows of two years close.
The accepted rows of the sandbox are put straight into the core facts; dbt makes everything below them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from benchmarks.warehouse import temporary_warehouse
from sandbox.calendar import OPENING_DAY
from sandbox.parameters import DEFAULT_SCALE, Parameters
from tests.golden.warehouse_of_cases import Dbt
from tests.truth.exact import exact_differences
from tests.truth.facts import FACTS, make_scene, put_facts, true_cells
from tests.truth.shown import shown_differences


def main() -> int:
    """Run the comparison that the command line asks for; 1 when a figure differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--scale", type=float, default=DEFAULT_SCALE, help="1 = the province, 39 million employed")
    parser.add_argument("--seed", type=int, default=Parameters().seed)
    parser.add_argument("--select", default="", help="codes of indicators, with commas between; all when left out")
    options = parser.parse_args()
    with temporary_warehouse() as (dsn, folder):
        return _compare(Dbt(dsn, folder / "dbt"), folder, options)


def _models(manifest: dict[str, Any], wanted: set[str] | None) -> tuple[list[str], list[str]]:
    """The models of the indicators that are asked for, and of the others, which stay empty."""
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    codes = {node["name"]: node["config"]["meta"].get("indicator") for node in models}
    built = {name: code for name, code in codes.items() if code is not None}
    chosen = [name for name, code in built.items() if wanted is None or code in wanted]
    return chosen, [name for name in built if name not in chosen]


def _compare(dbt: Dbt, folder: Path, options: argparse.Namespace) -> int:
    wanted = set(options.select.split(",")) if options.select else None
    scene = make_scene(folder, scale=options.scale, seed=options.seed)
    truth = true_cells(folder, scene, wanted)
    if wanted is not None:
        truth = truth.filter(pl.col("indicator_code").is_in(wanted))
    dbt.run("seed")
    manifest = dbt.manifest()
    chosen, left_out = _models(manifest, wanted)
    with psycopg.connect(dbt.dsn) as connection:
        put_facts(connection, manifest, scene, "core")
        connection.execute(
            "insert into ops.build (status, kind, as_of, requested_by) values ('running', 'full', %s, 'truth')",
            [OPENING_DAY],
        )
    there = [*FACTS, "feed_coverage", "path:models/staging"]
    # Every cell is described by its area and period, whichever indicators are chosen.
    dbt.run("run", "--select", *(f"+{model}" for model in chosen), "dim_area", "dim_period", "--exclude", *there)
    with psycopg.connect(dbt.dsn) as connection:
        for model in left_out:
            empty, alike = (sql.Identifier("build", name) for name in (model, chosen[0]))
            # one that a chosen indicator is made of was built for it alone
            connection.execute(sql.SQL("create table if not exists {} (like {})").format(empty, alike))
            connection.execute(sql.SQL("truncate {}").format(empty))
    # What the chosen are made of is there as well.
    there += [f"+{model}" for model in (*chosen, *left_out)]
    dbt.run("run", "--select", "+indicator_value", "indicator_cell", "--exclude", *there)
    with psycopg.connect(dbt.dsn) as connection:
        compared, faults = exact_differences(connection, truth)
        shown, faults_of_shown = shown_differences(connection, truth, ("build.indicator_cell", "build.indicator_value"))
    print(f"{compared.total()} exact cells compared, {len(faults)} kinds of difference")
    print(f"never compared: {', '.join(sorted(set(truth['indicator_code']) - compared.keys())) or 'none'}")
    print(f"{shown.total()} shown cells compared, {len(faults_of_shown)} differ")
    for code, cells in sorted(shown.items()):
        print(f"  {code}: {cells}")
    for fault in (*faults, *faults_of_shown[:20]):
        print(fault)
    return int(bool(faults or faults_of_shown))


if __name__ == "__main__":
    sys.exit(main())
