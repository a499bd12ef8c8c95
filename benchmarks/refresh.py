"""What a refresh costs after changes of different sizes: `python -m benchmarks.refresh --scale 0.003`.

A warehouse is filled with a sandbox of that scale, built and released in full; then each change comes in by the merge
of a load, and goes the product's way: claim, dbt, release. Costs are seconds of processors, of this process and of the
server, so that what else the machine does tells little; of models the clock's seconds are said, to show which are dear.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.filled import WAGES, contracts_by_feed, fill, merge_rows, new_batch
from benchmarks.same_tables import differences, kept_tables
from benchmarks.warehouse import temporary_warehouse
from sandbox.calendar import OPENING_DAY
from sandbox.parameters import Parameters
from tests.golden.warehouse_of_cases import Dbt
from tests.truth.facts import make_scene
from threegaps.ledger.touches import UNKNOWN_COUNTY, record_batch_touches
from threegaps.marts import build as marts
from threegaps.marts import dbt_runner
from threegaps.marts.claim import Kind
from threegaps.release.step import release
from threegaps.settings import Settings

COVERED_TO = dt.date(2026, 5, 31)
NEXT_MONTH = (dt.date(2026, 6, 1), OPENING_DAY)
CORRECTED_MONTH = (dt.date(2026, 3, 1), dt.date(2026, 3, 31))
CERTIFICATES, SPELLS = "hrss/certificates", "hrss/employment_registrations"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Cost:
    """Seconds of processors by step, and seconds of the clock by model."""

    steps: dict[str, float] = field(default_factory=dict)
    models: dict[str, float] = field(default_factory=dict)
    nodes: int = 0

    @property
    def seconds(self) -> float:
        """Of processors, from the claim to the release."""
        return sum(self.steps.values())


class Refresh:
    """The product's way from a claim to a release, measured."""

    def __init__(self, settings: Settings, postmaster: int) -> None:
        self._settings, self._postmaster = settings, postmaster

    def run(self, kind: Kind = "affected") -> Cost:
        """Claim, build and release what is pending."""
        cost = Cost()
        with self._measured(cost, "claim"):
            build_id = marts.prepare("benchmark", kind, settings=self._settings)
        if build_id is None:
            return cost
        with self._measured(cost, "dbt"):
            marts.build(build_id, settings=self._settings)
        with self._measured(cost, "release"):
            release(build_id, settings=self._settings, accepted_checks=("row_count",))
        results = self._settings.home / "dbt" / "invocations" / str(build_id) / "target" / "run_results.json"
        ran = json.loads(results.read_text(encoding="utf-8"))["results"]
        cost.models = {one["unique_id"].split(".", 2)[2]: one["execution_time"] for one in ran}
        cost.nodes = len(ran)
        return cost

    @contextmanager
    def _measured(self, cost: Cost, step: str) -> Iterator[None]:
        start = self._used()
        yield
        cost.steps[step] = self._used() - start

    def _used(self) -> float:
        own = resource.getrusage(resource.RUSAGE_SELF)
        return own.ru_utime + own.ru_stime + sum(_ticks(pid) for pid in self._server()) / _TICKS

    def _server(self) -> list[int]:
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text(encoding="ascii")
        return [self._postmaster, *map(int, children.split())]


def _ticks(pid: int) -> int:
    """What a process, and its children that have ended, took of processors; nothing of one that ends just now."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(number) for number in fields[11:15])


def _one_wage(connection: psycopg.Connection[Any]) -> None:
    _correct_wages(connection, sql.SQL("true order by person_id, employer_code limit 1"))


def _scattered_wages(connection: psycopg.Connection[Any]) -> None:
    _correct_wages(connection, sql.SQL("hashtext(person_id::text || employer_code) % 100 = 0"))


def _wages_of_a_county(connection: psycopg.Connection[Any]) -> None:
    _correct_wages(connection, sql.SQL("work_county_code = '330106'"))


def _correct_wages(connection: psycopg.Connection[Any], which: sql.Composable) -> None:
    _merge(
        connection, WAGES, CORRECTED_MONTH, {"wage_cny_month": "wage_cny_month + 7"},
        sql.SQL("wage_month = {} and {}").format(sql.Literal(CORRECTED_MONTH[0]), which),
    )  # fmt: skip


def _one_certificate(connection: psycopg.Connection[Any]) -> None:
    """A certificate of two years ago that comes to be known now."""
    _merge(
        connection, CERTIFICATES, CORRECTED_MONTH,
        {"certificate_number": "certificate_number || '9'", "issued_on": "date '2024-03-05'",
         "valid_until": "null", "level_code": "'3'", "is_revoked": "false", "revoked_on": "null"},
        sql.SQL("certificate_type = '01' order by person_id, certificate_number limit 1"),
    )  # fmt: skip


def _one_spell(connection: psycopg.Connection[Any]) -> None:
    """A spell that ended a year ago and is closed only now."""
    _merge(
        connection, SPELLS, CORRECTED_MONTH, {"end_date": "date '2025-04-10'"},
        sql.SQL("end_date is null and start_date < '2025-01-01' order by person_id, employer_code limit 1"),
    )  # fmt: skip


def _merge(
    connection: psycopg.Connection[Any],
    feed: str,
    days: tuple[dt.date, dt.date],
    changed: dict[str, str],
    which: sql.Composable,
) -> None:
    contract = contracts_by_feed()[feed]
    columns = connection.execute(
        "select column_name from information_schema.columns where table_schema = 'raw' and table_name = %s"
        " order by ordinal_position",
        [contract.table],
    ).fetchall()
    values = sql.SQL(", ").join(
        sql.SQL(changed[name]) if name in changed else sql.Identifier(name) for (name,) in columns
    )
    rows = sql.SQL("select {} from {} where {}").format(values, sql.Identifier("raw", contract.table), which)
    merge_rows(connection, contract, days, rows)


def _month_passes(connection: psycopg.Connection[Any]) -> None:
    """Every feed covers the next month; its wages are those of the last one, anew."""
    month, last = NEXT_MONTH
    for (feed,) in connection.execute(
        "select feed from ops.feed_coverage where covered_to = %s", [COVERED_TO]
    ).fetchall():
        if feed != WAGES:
            batch_id = new_batch(connection, feed, month, last)
            record_batch_touches(connection, batch_id, feed, [(UNKNOWN_COUNTY, month, last)])
    _merge(
        connection, WAGES, NEXT_MONTH, {"wage_month": f"date '{month}'"},
        sql.SQL("wage_month = {}").format(sql.Literal(COVERED_TO.replace(day=1))),
    )  # fmt: skip


def _nothing(_: psycopg.Connection[Any]) -> None:
    pass


CHANGES: dict[str, Callable[[psycopg.Connection[Any]], None]] = {
    "one wage row": _one_wage,
    "one certificate of two years ago": _one_certificate,
    "one spell closed late": _one_spell,
    "1 % of a month scattered": _scattered_wages,
    "a county's month": _wages_of_a_county,
    "a month passes": _month_passes,
    "nothing": _nothing,
}


def main() -> int:
    """Measure what the command line asks for; 1 when a table differs from a full rebuild's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refresh", description=__doc__)
    parser.add_argument("--scale", type=float, default=0.003, help="1 = the province, 39 million employed")
    parser.add_argument("--seed", type=int, default=Parameters().seed)
    parser.add_argument("--changes", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--dearest", type=int, default=8, help="how many models of each refresh are named")
    parser.add_argument("--compare", action="store_true", help="at the end with a full rebuild, table by table")
    options = parser.parse_args()
    with temporary_warehouse() as (dsn, folder):
        settings = _settings(dsn, folder)
        Dbt(dsn, folder / "dbt").run("seed")
        with psycopg.connect(dsn, autocommit=True) as connection:
            fill(
                connection,
                dbt_runner.parse_project(settings),
                make_scene(folder, scale=options.scale, seed=options.seed),
                COVERED_TO,
            )
            refresh = Refresh(settings, _postmaster(connection))
            full = refresh.run()
            _say("full build", full, full, options.dearest)
            for name in options.changes:
                CHANGES[name](connection)
                _say(name, refresh.run(), full, options.dearest)
            if not options.compare:
                return 0
            before = kept_tables(connection)
            _say("full build again", refresh.run("full"), full, options.dearest)
            found = differences(before, kept_tables(connection))
            print(
                f"{len(before)} tables compared with a full rebuild, {len(found)} differ{': ' if found else ''}", end=""
            )
            print(", ".join(found))
            return int(bool(found))


def _settings(dsn: str, folder: Path) -> Settings:
    parts = conninfo_to_dict(dsn)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "DATABASE": "dbname"}
    address = {f"THREEGAPS_WAREHOUSE_{name}": str(parts[part]) for name, part in names.items()}
    return Settings(root=Settings.load().root, home=folder / "home", environment={**os.environ, **address})


def _postmaster(connection: psycopg.Connection[Any]) -> int:
    status = Path(f"/proc/{connection.info.backend_pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))


def _say(name: str, cost: Cost, full: Cost, dearest: int) -> None:
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in cost.steps.items())
    print(f"{name}: {cost.seconds:.1f} s ({steps}), {cost.seconds / full.seconds:.1%} of full; {cost.nodes} nodes ran")
    named = sorted(cost.models.items(), key=lambda model: -model[1])[:dearest]
    for model, seconds in named:
        print(f"    {model}: {seconds:.2f} s by the clock")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
