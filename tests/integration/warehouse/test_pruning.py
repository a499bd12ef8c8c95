"""A load reads those partitions of a raw table that its delivery speaks of, and no other."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.warehouse.conftest import WAGES, Loader

pytestmark = pytest.mark.integration

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
SHOWN = ("employer", "wage_month::text", "wage::text", "_withdrawn")


def wage(employer: str, amount: str, *, month: dt.date = JUNE, **more: Any) -> dict[str, Any]:
    return {"employer": employer, "wage_month": month, "county": "330102", "wage": amount, **more}


def partitions_in(node: Any) -> set[str]:
    """The partitions that a plan reads."""
    if isinstance(node, list):
        return set().union(*(partitions_in(one) for one in node))
    if not isinstance(node, dict):
        return set()
    found = {node["Relation Name"]} if node.get("Node Type", "").endswith("Scan") and "Relation Name" in node else set()
    return found.union(*(partitions_in(one) for one in node.values()))


class Watched(psycopg.Connection[Any]):
    """A connection that notes which partitions of the wages each statement reads, by its plan."""

    read: set[str]

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
        text = query.as_string(self) if isinstance(query, sql.Composable) else str(query)
        planned = text.replace("on commit drop as", "as") if "create temporary table" in text else text
        if '"test_wages"' in text and not text.startswith(("create table", "alter", "comment")) and "(like" not in text:
            plan = super().execute(sql.SQL("explain (format json) " + planned), *arguments).fetchone()  # type: ignore[arg-type]
            self.read |= {name for name in partitions_in(plan[0]) if name.startswith("test_wages_2")}
        return super().execute(query, *arguments, **options)


@pytest.mark.parametrize("step", ["correction", "sent again", "judged again"])
def test_only_the_months_that_a_delivery_speaks_of_are_read(loader: Loader, warehouse: str, step: str) -> None:
    loader.load(WAGES, "2026-05", [wage("A", "100", month=MAY)])
    loader.load(WAGES, "2026-06", [wage("A", "1"), wage("B", "2"), wage("C", "3")])
    old = loader.last_batch().batch_id
    rows = [wage("A", "1"), wage("B", "20", _version=1)]
    with Watched.connect(warehouse, autocommit=True) as connection:
        connection.read = set()
        watched = Loader(connection)
        watched.arrivals = loader.arrivals
        if step == "correction":
            watched.load(WAGES, "2026-06", rows, is_whole=False)
        else:
            watched.load(WAGES, "2026-06", rows, supersedes=old if step == "judged again" else None)
        assert connection.read == {"test_wages_2026_06"}
    assert loader.rows(WAGES, *SHOWN)[:2] == [
        ("A", "2026-05-01", "100.00", False),
        ("A", "2026-06-01", "1.00", False),
    ]


def test_rows_that_changed_nothing_are_found_again_when_they_are_taken_back(loader: Loader) -> None:
    loader.load(WAGES, "2026-05", [wage("A", "100", month=MAY), wage("B", "5", month=MAY)])
    # Word for word what May said: nothing changes, but June is now the one that says it.
    loader.load(WAGES, "2026-06", [wage("A", "1"), wage("A", "100", month=MAY)])
    assert loader.load(WAGES, "2026-06", [wage("A", "1")]).merged.closed_by_absence == 1

    landed = loader.land(WAGES, "2026-06")
    loader.load(WAGES, "2026-06", [wage("A", "1")], landed=landed)
    same = loader.last_batch()
    assert same.unchanged == 1
    loader.load(WAGES, "2026-06", [wage("A", "7")], landed=landed, supersedes=same.batch_id)
    assert ("A", "2026-06-01", "7.00", False) in loader.rows(WAGES, *SHOWN)
