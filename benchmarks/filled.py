"""A warehouse with the accepted rows of a sandbox of any size in its raw tables, as loads would have left them.

The rows are those that the truth's tests put into the core facts; what a fact does not carry of its feed (names, times
of entry) is made up, since no model reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from sandbox.feeds.model import Scene
from tests.truth.facts import FACTS, put_facts
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import RawColumn, raw_columns, raw_key
from threegaps.ledger.standing_batches import StandingBatches
from threegaps.ledger.touches import OPEN_END, UNKNOWN_COUNTY, record_batch_touches
from threegaps.marts.manifest import Manifest
from threegaps.settings import Settings
from threegaps.standards.areas import OTHER_PROVINCES_AREA, UNKNOWN_AREA
from threegaps.warehouse.merge import Merge
from threegaps.warehouse.raw_table import RawTable
from threegaps.warehouse.tables import ensure_partitions, ensure_tables, names

GIVEN = "given"
WAGES = "hrss/wage_records"
# What stands for a value that no fact carries, by the type of its column.
_MADE_UP = {
    "text": sql.SQL("'-'"),
    "date": sql.SQL("date '2024-01-01'"),
    "uuid": sql.SQL("gen_random_uuid()"),
    "boolean": sql.SQL("false"),
    "timestamptz": sql.SQL("timestamptz '2024-01-01'"),
    "smallint": sql.SQL("0"),
    "integer": sql.SQL("0"),
    "bigint": sql.SQL("0"),
    "numeric": sql.SQL("0"),
}


def contracts_by_feed() -> Mapping[str, Contract]:
    """Every contract by the name of its feed."""
    return {contract.feed: contract for contract in load_contracts(Settings.load().contracts_folder)}


def fill(connection: psycopg.Connection[Any], manifest: Manifest, scene: Scene, until: dt.date) -> None:
    """Fill the raw tables of all feeds, and the ledger with a batch of each, which covers what it does until a day.

    Args:
        connection: An empty, migrated warehouse, in autocommit.
        manifest: The dbt project's.
        scene: What the departments sent.
        until: The last day that any feed covers; wages of later months are left out.
    """
    contracts = contracts_by_feed()
    put_facts(connection, dict(manifest.raw), scene, GIVEN)
    covered = {
        str(feed): (first, min(last, until))
        for feed, first, last in connection.execute(
            sql.SQL("select feed, covered_from, covered_to from {}").format(sql.Identifier(GIVEN, "feed_coverage"))
        )
    }
    for contract in contracts.values():
        ensure_tables(connection, contract)
    for fact in FACTS:
        feed = _feed_of(manifest, fact)
        if feed is not None:
            _put_rows(connection, contracts[feed], fact, covered.get(feed), until)
    for feed, (first, last) in covered.items():
        batch_id = new_batch(connection, feed, first, last)
        record_batch_touches(connection, batch_id, feed, [(UNKNOWN_COUNTY, first, OPEN_END)])
    connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(GIVEN)))
    connection.execute("vacuum (analyze)")


def new_batch(connection: psycopg.Connection[Any], feed: str, first: dt.date, last: dt.date) -> int:
    """A loaded, complete batch of a delivery that covers the days from *first* to *last*; its number."""
    row = connection.execute(
        "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
        " pseudonym_key_version, is_complete, inserted, changed, unchanged, withdrawn, accepted, finished_at)"
        " values (%s, %s, %s, %s, 'loaded', 'h', 'c', '1', true, 0, 0, 0, 0, 0, clock_timestamp())"
        " returning batch_id",
        [feed, f"{first:%Y-%m}", first, last],
    ).fetchone()
    assert row is not None  # noqa: S101  # it returns what it inserted
    return int(row[0])


def merge_rows(
    connection: psycopg.Connection[Any], contract: Contract, days: tuple[dt.date, dt.date], rows: sql.Composable
) -> int:
    """Merge rows as a load would, in a batch of their own, with the touches that the merge finds; how many touches.

    Args:
        connection: The warehouse.
        contract: Of the rows' feed.
        days: First and last day of the delivery that they come with.
        rows: A query that gives the feed's own columns, with a higher version than stands.
    """
    with connection.transaction():
        batch_id = new_batch(connection, contract.feed, *days)
        table = RawTable(connection, contract, batch_id)
        table.run("create temporary table {rows} (like {raw} including defaults) on commit drop")
        table.run("insert into {rows} ({columns}) {query}", query=rows)
        table.run("update {rows} set _batch_id = {batch}, _version = _version + 1")
        Merge(table, StandingBatches()).run()
        return record_batch_touches(connection, batch_id, contract.feed, table.touched)


def _feed_of(manifest: Manifest, fact: str) -> str | None:
    """The one feed that a core fact holds the rows of; None where it is made of something else."""
    parents = manifest.nodes[f"model.threegaps.{fact}"]["depends_on"]["nodes"]
    staging = [name.split(".")[-1] for name in parents if ".stg_" in name]
    return staging[0].removeprefix("stg_").replace("__", "/", 1) if len(staging) == 1 else None


def _put_rows(
    connection: psycopg.Connection[Any],
    contract: Contract,
    fact: str,
    covered: tuple[dt.date, dt.date] | None,
    until: dt.date,
) -> None:
    given = {
        str(name)
        for (name,) in connection.execute(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s",
            [GIVEN, fact],
        )
    }
    columns = raw_columns(contract)
    areas = _areas(columns, given)
    values = [_value(column, given, areas, raw_key(contract)) for column in columns]
    month = contract.partition_column
    if month is not None:
        months = connection.execute(
            sql.SQL("select distinct {} from {}").format(sql.Identifier(month), sql.Identifier(GIVEN, fact))
        ).fetchall()
        ensure_partitions(connection, contract, [row[0] for row in months])
    within = sql.SQL(" where {} <= {}").format(sql.Identifier(month), sql.Literal(until)) if month else sql.SQL("")
    connection.execute(
        sql.SQL(
            "insert into {} ({}) select {} from (select *, row_number() over () as number from {}) as r{}"
            " on conflict do nothing"
        ).format(
            sql.Identifier("raw", contract.table),
            names(column.name for column in columns),
            sql.SQL(", ").join(values),
            sql.Identifier(GIVEN, fact),
            within,
        )
    )


def _areas(columns: Iterable[RawColumn], given: set[str]) -> dict[str, str]:
    """For each column of a division that a fact has as an area, the fact's column."""
    own = {column.name for column in columns}
    found = {
        name: area
        for name in own - given
        if (area := name.replace("county_code", "area_code")) in given and name.endswith("county_code")
    }
    left = [name for name in given - own - set(found.values()) if name.endswith("_area_code")]
    lacking = sorted({"county_code", "area_code"} & own - given - found.keys())
    return {**found, **(dict.fromkeys(lacking, left[0]) if len(left) == 1 else {})}


def _value(column: RawColumn, given: set[str], areas: Mapping[str, str], key: Iterable[str]) -> sql.Composable:
    name = column.name
    made_up = _made_up(column, key)
    if name in given:
        value: sql.Composable = sql.Identifier(name)
    elif name in areas:
        value = sql.SQL("case {0} when {1} then null when {2} then '310000' else {0} end").format(
            sql.Identifier(areas[name]), sql.Literal(UNKNOWN_AREA), sql.Literal(OTHER_PROVINCES_AREA)
        )
    else:
        return made_up
    return value if column.nullable else sql.SQL("coalesce({}, {})").format(value, made_up)


def _made_up(column: RawColumn, key: Iterable[str]) -> sql.Composable:
    if column.nullable:
        return sql.SQL("null")
    if column.name == "_row_number":
        return sql.SQL("number")
    if column.name.endswith("county_code"):
        return sql.SQL("'330106'")
    if column.name in key and column.sql_type == "text":
        return sql.SQL("number::text")
    return _MADE_UP[column.sql_type.split("(")[0].split(" ")[0]]
