"""Which models a build has to run: those that its claim can reach, and what stands on them.

A model that is left out holds what a full build would give. What stands on ``int_affected_slice`` up to an indicator is
made for the slices of one build alone, and runs where an indicator that reads it is affected. Whatever else stands
between feeds and readers is whole, and runs when something that it reads may have changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import psycopg

from threegaps.marts.manifest import Manifest
from threegaps.marts.reach import EVERY_FEED, meta_of

SLICES = "int_affected_slice"
"""The model that says which slices a build makes: what stands on it is work of that build."""
COVERAGE = "coverage"
"""Stands in ``meta.changes_with`` of what follows from the days that the feeds cover alone."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What dbt is told to do.

    Args:
        models: Names of the models to run; None for all models and seeds.
        makes_slices_only: What is made by slice is changed in the affected slices, not made anew.
    """

    models: frozenset[str] | None = None
    makes_slices_only: bool = False


EVERYTHING = Chosen()


@dataclass(frozen=True, slots=True)
class Change:
    """What a build has before it.

    Args:
        feeds: Feeds that a claimed batch is of.
        indicators: Codes of the indicators with an affected slice.
        is_coverage_changed: Whether it looks from another day, or the feeds cover other days, than for builds before.
    """

    feeds: frozenset[str]
    indicators: frozenset[str]
    is_coverage_changed: bool


def change_of(connection: psycopg.Connection[Any], build_id: int) -> Change | None:
    """What build *build_id* has before it; None when everything has to run.

    That is so for a full build, for one with a changed model or seed, and where exact cells begin or cease to be shown.
    It is compared with all builds since the last release: one that failed may have left tables of its own.
    """
    row = connection.execute(_WHAT_CHANGED.encode(), {"build_id": build_id}).fetchone()
    if row is None or row[0]:
        return None
    _, is_coverage_changed, feeds, codes = row
    return Change(frozenset(feeds), frozenset(codes), bool(is_coverage_changed))


_WHAT_CHANGED = """
with this as (
    select * from ops.build where build_id = %(build_id)s
),
before as (
    select b.* from ops.build as b, this
    where b.build_id < this.build_id
    and b.build_id >= (select coalesce(max(build_id), 0) from ops.build where status = 'released')
),
causes as (
    select t.cause from ops.build_touch join ops.touch as t using (touch_id) where build_id = %(build_id)s
),
covered as (
    select
        b.build_id,
        array_agg(row(c.feed, c.covered_from, c.covered_to) order by c.feed, c.covered_from)::text as days
    from ops.build as b left join ops.build_coverage as c using (build_id)
    where b.build_id in (select build_id from before union all select build_id from this)
    group by b.build_id
)
select
    this.kind = 'full'
    or not exists (select from before)
    or exists (select from causes where cause in ('seed', 'model'))
    or exists (select from before where shows_exact_cells <> this.shows_exact_cells),
    exists (select from causes where cause = 'as_of') or (select count(distinct days) > 1 from covered),
    array(
        select distinct b.feed from ops.build_input join ops.batch as b using (batch_id)
        where build_id = %(build_id)s
    ),
    array(select distinct indicator_code from ops.affected where build_id = %(build_id)s)
from this
"""


def relations(connection: psycopg.Connection[Any]) -> frozenset[tuple[str, str]]:
    """Schema and name of every table and view that the warehouse has."""
    rows = connection.execute(
        "select schemaname, tablename from pg_tables union all select schemaname, viewname from pg_views"
    )
    return frozenset((str(schema), str(name)) for schema, name in rows)


def choose(manifest: Manifest, change: Change | None, present: Collection[tuple[str, str]]) -> Chosen:
    """What a build with *change* before it has to run.

    Args:
        manifest: The project.
        change: What the build has before it.
        present: The relations that are there: what a failed build dropped is made again.
    """
    if change is None:
        return EVERYTHING
    return Chosen(frozenset(_Choice(manifest, change, present).names()), not change.is_coverage_changed)


class _Choice:
    def __init__(self, manifest: Manifest, change: Change, present: Collection[tuple[str, str]]) -> None:
        self._manifest, self._change, self._present = manifest, change, present
        self._sources: Mapping[str, Mapping[str, Any]] = manifest.raw.get("sources", {})
        self._models = {name: node for name, node in manifest.nodes.items() if node["resource_type"] == "model"}
        self._order = tuple(TopologicalSorter({name: self._parents(name) for name in self._models}).static_order())

    def names(self) -> Iterator[str]:
        """The names of the models that have to run."""
        work = self._work()
        needed = self._needed(work)
        changed: set[str] = set()
        replaced: set[str] = set()
        for name in self._order:
            node = self._models[name]
            if self._may_differ(name, node, changed, work, needed):
                changed.add(name)
            is_view = node["config"]["materialized"] == "view"
            is_there = (node["schema"], node["alias"]) in self._present
            # A view shows what it reads; it is gone when what it reads is replaced.
            is_dropped = is_view and not replaced.isdisjoint(self._parents(name))
            if not is_there or is_dropped or (name in changed and not is_view):
                if not self._is_in_place(node):
                    replaced.add(name)
                yield str(node["name"])

    def _may_differ(
        self,
        name: str,
        node: Mapping[str, Any],
        changed: Collection[str],
        work: Collection[str],
        needed: Collection[str],
    ) -> bool:
        if name in work:
            return name in needed
        if "indicator" in meta_of(node):
            return meta_of(node)["indicator"] in self._change.indicators
        if meta_of(node).get("changes_with") == COVERAGE:
            return self._change.is_coverage_changed
        return any(parent in changed for parent in self._parents(name)) or any(
            self._is_changed(source) for source in node["depends_on"]["nodes"] if source in self._sources
        )

    def _is_in_place(self, node: Mapping[str, Any]) -> bool:
        kind = node["config"]["materialized"]
        return kind == "incremental" or (kind == "by_slice" and not self._change.is_coverage_changed)

    def _is_changed(self, source: str) -> bool:
        meta = meta_of(self._sources[source])
        if meta.get("changes_with") == COVERAGE:
            return self._change.is_coverage_changed
        feed = meta.get("feed", EVERY_FEED)
        # The ledger goes on between builds: batches that are stopped, checks.
        return feed == EVERY_FEED or feed in self._change.feeds

    def _parents(self, name: str) -> list[str]:
        return [parent for parent in self._models[name]["depends_on"]["nodes"] if parent in self._models]

    def _work(self) -> frozenset[str]:
        """What is made for the slices of a build alone: it stands on them, and no indicator lies between."""
        found: set[str] = set()
        for name in self._order:
            node = self._models[name]
            if node["name"] == SLICES or (
                "indicator" not in meta_of(node) and not found.isdisjoint(self._parents(name))
            ):
                found.add(name)
        return frozenset(found)

    def _needed(self, work: Collection[str]) -> frozenset[str]:
        """The work that an affected indicator reads, through whatever."""
        needed = {name for name in work if self._models[name]["name"] == SLICES}
        waiting = [
            parent
            for name, node in self._models.items()
            if meta_of(node).get("indicator") in self._change.indicators
            for parent in self._parents(name)
        ]
        while waiting:
            name = waiting.pop()
            if name in work and name not in needed:
                needed.add(name)
                waiting += self._parents(name)
        return frozenset(needed)
