"""Measure disclosure control on a province of any size: `python -m benchmarks.disclosure --scale 0.01 --seed 1`.

Two releases are made of each province: one before refused rows came back mended, one after. Both are attacked together.
A province that is kept in a folder is attacked again, by other rules, without being made again.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import polars as pl
import psycopg

from benchmarks.warehouse import temporary_warehouse
from sandbox.parameters import DEFAULT_SCALE, Parameters
from tests.disclosure import measures
from tests.disclosure.equals import equal_in_the_sandbox
from tests.disclosure.published import examine, undeclared_equals
from tests.disclosure.release import Release, read_release
from tests.disclosure.structure import read_structure
from tests.disclosure.warehouse_of_truth import make_cells, prepare
from tests.truth.facts import make_scene, true_cells

DIRT = (0.02, 0.0)


def main() -> int:
    """Run the measurement that the command line asks for; 1 when the attacker found something."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disclosure", description=__doc__)
    parser.add_argument("--scale", type=float, default=DEFAULT_SCALE, help="1 = the province, 39 million employed")
    parser.add_argument("--seed", type=int, default=Parameters().seed)
    parser.add_argument("--programs", type=int, default=100, help="on how many counts linear programming is tried")
    parser.add_argument("--dirt", type=float, nargs="+", default=DIRT, help="share of refused rows in each release")
    parser.add_argument("--keep", type=Path, help="folder in which the truth of each release is kept and looked for")
    options = parser.parse_args()
    with temporary_warehouse() as (dsn, folder):
        return _measure(dsn, folder, options)


def _measure(dsn: str, folder: Path, options: argparse.Namespace) -> int:
    dbt = prepare(dsn, folder / "dbt")
    releases: list[Release] = []
    for dirt in options.dirt:
        make_cells(dbt, _truth(folder / f"dirt-{dirt}", options, dirt))
        with psycopg.connect(dsn) as connection:
            releases.append(read_release(connection))
    with psycopg.connect(dsn) as connection:
        structure = read_structure(connection)
        for line in (*measures.visible(connection), *measures.rounding(connection), *measures.shares(connection)):
            print(line)
        underived = measures.underived(connection)
    begun = time.process_time()
    found = examine(structure, releases, programs=options.programs)
    print(
        f"{found.counts} counts, {found.equations} sums; {found.hidden} not shown, {found.small} of one to nine persons"
    )
    seconds, peak = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{seconds:.0f} seconds of a processor for the attack, {peak:.1f} GB at most with the province")
    print(f"linear programming on the narrowest {found.programmed}")
    print(f"follow exactly: {len(found.exact)}; of one to nine in too narrow an interval: {len(found.narrow)}")
    equal = undeclared_equals(structure, releases[-1]) - equal_in_the_sandbox()
    print(f"counts of two names that are equal everywhere: {len(equal)}; values that do not follow: {underived}")
    for one in (*list(found.exact.items())[:10], *list(found.narrow.items())[:10], *equal):
        print(f"  {one}")
    return int(bool(found.exact or found.narrow or equal or underived))


def _truth(home: Path, options: argparse.Namespace, dirt: float) -> pl.DataFrame:
    """The true cells of a release; from the folder of those that are kept where it has them."""
    kept = None if options.keep is None else options.keep / f"truth-{options.scale}-{options.seed}-{dirt}.parquet"
    if kept is not None and kept.exists():
        return pl.read_parquet(kept)
    home.mkdir()
    truth = true_cells(home, make_scene(home, scale=options.scale, seed=options.seed, dirt=dirt))
    if kept is not None:
        truth.write_parquet(kept)
    return truth


if __name__ == "__main__":
    sys.exit(main())
