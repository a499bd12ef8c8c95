"""The rows that the sandbox's departments sent and that were accepted, as the core facts hold them.

Between a feed and its fact nothing is computed that the truth says; that the pipeline brings the rows there is shown by
the end-to-end test. A module a subject: each registers the tables that it fills.
"""

from __future__ import annotations

import datetime as dt
import pkgutil
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from sandbox import feeds, population, submissions, truth
from sandbox.calendar import FIRST_MONTH, FIRST_TERM, FIRST_WAGE_MONTH, HORIZON, OPENING_DAY
from sandbox.feeds.model import Scene
from sandbox.parameters import Parameters
from sandbox.truth.periods import LAST_YEARLY_LIST
from tests.golden.warehouse_of_cases import make_table
from tests.truth.facts.registry import Sent, facts

__all__ = ["FACTS", "make_scene", "put_facts", "true_cells"]

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

FACTS = tuple(fact.table for fact in facts())
# Published figures, wages and what comes by the term begin before the sandbox's window, and some figures end before it
# does, as the lists of a year do.
COVERED_OTHERWISE = {
    "statistics/resident_income": (dt.date(2000, 1, 1), OPENING_DAY),
    "hrss/wage_records": (FIRST_WAGE_MONTH, OPENING_DAY),
    "education/vocational_programmes": (FIRST_TERM, OPENING_DAY),
    "hrss/technician_school_programmes": (FIRST_TERM, OPENING_DAY),
    "hrss/technician_school_projects": (FIRST_TERM, OPENING_DAY),
    "statistics/employment_population": (dt.date(2010, 1, 1), LAST_YEARLY_LIST),
    "agriculture/places": (FIRST_MONTH, LAST_YEARLY_LIST),
    "hrss/competition_entrants": (FIRST_MONTH, LAST_YEARLY_LIST),
    "hrss/competition_results": (FIRST_MONTH, LAST_YEARLY_LIST),
    "hrss/competitions": (FIRST_MONTH, LAST_YEARLY_LIST),
    "hrss/incentive_plans": (FIRST_MONTH, LAST_YEARLY_LIST),
    "hrss/leading_talent": (FIRST_MONTH, LAST_YEARLY_LIST),
    "sasac/soe_payroll": (FIRST_MONTH, LAST_YEARLY_LIST),
}
_FEEDS = """
select distinct feed from core.seed_indicator cross join string_to_table(horizon_feeds, ',') as feed where is_built
"""


def make_scene(folder: Path, *, scale: float, seed: int, dirt: float = Parameters().dirt) -> Scene:
    """Everything that the departments of one sandbox have; accepted wages go below *folder*."""
    wages = folder / "wages"
    wages.mkdir()
    scene = Scene(population.generate(scale, seed), Parameters(scale=scale, seed=seed, dirt=dirt), HORIZON, wages)
    for together in feeds.senders():
        for _ in submissions.made(scene, together):
            pass
    return scene


def true_cells(folder: Path, scene: Scene, codes: Collection[str] | None = None) -> pl.DataFrame:
    """The true figures of *scene*, of all indicators or of *codes*; they are written to *folder*."""
    truth.write(folder, scene, codes)
    return pl.read_parquet(folder / "indicators.parquet")


def put_facts(connection: psycopg.Connection[Any], manifest: dict[str, Any], scene: Scene, schema: str) -> None:
    """Make the facts and what the feeds cover in *schema*, as they stand on the sandbox's opening day."""
    sent = Sent(scene)
    for table in (*FACTS, "feed_coverage"):
        make_table(connection, manifest, table, schema=schema)
    for fact in facts():
        rows = fact.rows(sent)
        for frame in [rows] if isinstance(rows, pl.DataFrame) else rows:
            columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
            statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
                sql.Identifier(schema, fact.table), columns
            )
            with connection.cursor().copy(statement) as copy:
                copy.write(frame.write_csv(include_header=False))
    for (feed,) in connection.execute(_FEEDS).fetchall():
        covered = COVERED_OTHERWISE.get(feed, (FIRST_MONTH, OPENING_DAY))
        connection.execute(
            sql.SQL("insert into {} values (%s, %s, %s)").format(sql.Identifier(schema, "feed_coverage")),
            [feed, *covered],
        )
    for table in (*FACTS, "feed_coverage"):
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, table)))
