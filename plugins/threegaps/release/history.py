"""What was said in two releases, what differs, and why.

A release counts rows of every served relation that differ in content; so does what is found here, by the same columns.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row, tuple_row

from threegaps.errors import ReleaseError
from threegaps.marts.affected import reached_period
from threegaps.marts.reach import AS_OF
from threegaps.release.apply import NOT_CONTENT
from threegaps.release.inputs import Inputs, inputs_of_all

FIGURES = "indicator_value"
"""The relation that holds the figures; the others show them again, or speak of feeds and codes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of ``indicator_value`` that two releases say differently; *changed* names the columns that differ."""

    indicator_code: str
    area_code: str
    area_level: str
    period_type: str
    period_label: str
    period_start: dt.date
    period_end: dt.date
    breakdown: str
    breakdown_value: str
    kind: str
    value_before: Decimal | None
    value_after: Decimal | None
    value_status_before: str | None
    value_status_after: str | None
    changed: list[str]
    said_by_release: int | None


@dataclass(frozen=True, slots=True)
class RelationChange:
    """How many rows of a served relation two releases say differently, by what became of them."""

    relation: str
    new: int
    changed: int
    gone: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that a release between the two took up, or undid."""

    release_id: int
    cause: str
    source: str | None
    batches: tuple[int, ...] = ()
    rules: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class IndicatorChange:
    """What two releases say differently of one indicator: how many figures, the one that moved most, and the causes."""

    indicator_code: str
    figures: int
    new: int
    gone: int
    value_changed: int
    hidden: int
    otherwise: int
    largest: Difference | None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that two releases say differently."""

    first: int
    second: int
    relations: tuple[RelationChange, ...]
    indicators: tuple[IndicatorChange, ...]
    figures: tuple[Difference, ...] = field(repr=False)
    without_past: int | None = None
    """Rows that the release counted and that read alike now: their past was taken out when figures were suppressed.

    None where it cannot be told: over several releases, or for whoever may not read all relations."""


# Only rows that a release between the two has said or ended can differ; the rest is not looked at. Nothing is written:
# the duty page may not.
_SIDES = """
with {early} as materialized (
    select {columns}, null::bigint as said_by from {past}
    where release_from <= {first} and release_to > {first} and release_to <= {later}
), {late} as materialized (
    select {columns}, release_from as said_by from {past}
    where release_from > {first} and release_from <= {later} and release_to > {later}
    union all select {columns}, value_release_id from {rows}
    where value_release_id > {first} and value_release_id <= {later}
)
"""
_COUNT = """
select count(*) filter (where b.is_there is null) as new,
       count(*) filter (where b.is_there and a.is_there and row({after}) is distinct from row({before})) as changed,
       count(*) filter (where a.is_there is null) as gone
from (select *, true as is_there from said_before) as b
full join (select *, true as is_there from said_after) as a using ({key})
"""
_FIGURES = """
select * from (
    select {key}, coalesce(a.area_level, b.area_level) as area_level,
           coalesce(a.period_label, b.period_label) as period_label,
           coalesce(a.period_start, b.period_start) as period_start,
           case when b.is_there is null then 'new' when a.is_there is null then 'gone' else 'changed' end as kind,
           b.value as value_before, a.value as value_after, b.value_status as value_status_before,
           a.value_status as value_status_after, array_remove(array[{differing}], null) as changed,
           a.said_by as said_by_release
    from (select *, true as is_there from said_before) as b
    full join (select *, true as is_there from said_after) as a using ({key})
    where b.is_there is null or a.is_there is null or row({after}) is distinct from row({before})
) as found
where (%(indicators)s::text[] is null or indicator_code = any(%(indicators)s))
  and (%(areas)s::text[] is null or area_code = any(%(areas)s))
order by indicator_code, period_end, area_code, breakdown, breakdown_value
"""
_SERVED = """
select n.nspname as schema, c.relname as name,
       has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as is_open,
       (select array_agg(a.attname::text order by a.attnum) from pg_attribute as a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       (select array_agg(a.attname::text order by a.attnum) from pg_index as i
        join pg_attribute as a on a.attrelid = c.oid and a.attnum = any(i.indkey)
        where i.indrelid = c.oid and i.indisprimary) as key
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('marts', 'exact') and c.relkind = 'r'
  and exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'value_release_id')
order by 1 desc, 2
"""
_COUNTED = """
select coalesce(sum(cells_inserted + cells_changed + cells_removed), 0)::bigint as rows
from ops.release where release_id > %s and release_id <= %s
"""
_RELEASES = """
select r.release_id, r.kind, r.undoes_release_id, r.note, b.kind as build_kind
from ops.release as r left join ops.build as b using (build_id)
where r.release_id > %s and r.release_id <= %s order by 1
"""
_TOUCHES = """
select distinct r.release_id, t.cause, coalesce(t.model, t.feed) as source, t.batch_id, t.county_code,
       case when t.period_from = '-infinity' then date '0001-01-01' else t.period_from end as first,
       case when t.period_to = 'infinity' then date '9999-12-31' else least(t.period_to, date '9999-12-31') end as last,
       a.rules
from ops.release as r join ops.build_touch using (build_id) join ops.touch as t using (touch_id)
left join ops.acceptance as a on a.batch_id = t.batch_id
where r.release_id > %s and r.release_id <= %s
"""


@dataclass(frozen=True, slots=True)
class _Served:
    """A served relation as the database has it: permanent rows, replaced rows, key and content.

    Args:
        is_open: Whether who asks may read it.
    """

    schema: str
    name: str
    is_open: bool
    columns: list[str]
    key: list[str]

    @property
    def label(self) -> str:
        plain = self.name.removesuffix("_stored")
        return plain if self.schema == "marts" else f"{self.schema}.{plain}"

    @property
    def rows(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def past(self) -> sql.Identifier:
        if self.schema == "marts":
            return sql.Identifier("history", self.name.removesuffix("_stored"))
        return sql.Identifier(self.schema, f"{self.name}_past")

    @property
    def said(self) -> list[str]:
        """The columns that both the permanent and the replaced rows have, and that say something."""
        return [name for name in self.columns if name not in {"value_release_id", "is_revised"}]

    @property
    def content(self) -> list[str]:
        return [name for name in self.said if name not in self.key and name not in NOT_CONTENT]


def difference(
    dsn: str,
    first: int,
    second: int | None = None,
    *,
    indicators: Collection[str] | None = None,
    areas: Collection[str] | None = None,
) -> list[Difference]:
    """Figures that release *first* and *second* (by default the serving one) say differently, whoever said them first.

    Args:
        dsn: The warehouse.
        first: A release.
        second: Another, earlier or later.
        indicators: Only figures of these.
        areas: Only figures of these areas, by their codes.

    Raises:
        ReleaseError: There is no such release.
    """
    return list(compare(dsn, first, second, indicators=indicators, areas=areas).figures)


def compare(
    dsn: str,
    first: int,
    second: int | None = None,
    *,
    indicators: Collection[str] | None = None,
    areas: Collection[str] | None = None,
) -> Comparison:
    """What two releases say differently: figures, what became of each indicator and why, and every other relation.

    Relations that the login may not read, as the exact ones, are left out.

    Args:
        dsn: The warehouse.
        first: A release.
        second: Another, by default the serving one.
        indicators: Only figures of these; relations are counted whole.
        areas: Only figures of these areas, by their codes.

    Raises:
        ReleaseError: There is no such release.
    """
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute("set transaction isolation level repeatable read")
        other = second if second is not None else serving_release(connection)
        for release in (first, other):
            _check_release(connection, release)
        early, late = sorted((first, other))
        wanted = {"indicators": _listed(indicators), "areas": _listed(areas)}
        relations: list[RelationChange] = []
        figures: list[Difference] = []
        all_served = [_Served(**row) for row in connection.execute(_SERVED).fetchall()]
        for served in all_served:
            if not served.is_open:
                continue
            sides = _sides(served, early, late, is_turned=first > other)
            relations.append(_counted(connection, served, sides))
            if served.label == FIGURES:
                figures = _figures(connection, served, sides, wanted)
        changes = [one for one in relations if one.new or one.changed or one.gone]
        causes = _causes(connection, figures, early, late)
        found = sum(one.new + one.changed + one.gone for one in changes)
        # Over several releases a row counts as often as it changed: then nothing can be compared.
        is_whole = all(served.is_open for served in all_served) and late == early + 1
        counted = connection.execute(_COUNTED, [early, late]).fetchone() or {"rows": 0}
        return Comparison(
            first,
            other,
            tuple(changes),
            tuple(_by_indicator(figures, causes)),
            tuple(figures),
            without_past=max(0, int(counted["rows"]) - found) if is_whole else None,
        )


def _listed(wanted: Collection[str] | None) -> list[str] | None:
    return None if wanted is None else sorted(wanted)


def _check_release(connection: psycopg.Connection[Any], release: int) -> None:
    if connection.execute("select 1 from ops.release where release_id = %s", [release]).fetchone() is None:
        raise ReleaseError(f"There is no release {release}.", advice="see `threegaps release list`.")


def _sides(served: _Served, early: int, late: int, *, is_turned: bool) -> sql.Composed:
    """The rows that the two releases may say differently, for a query that goes on with them."""
    names = ("said_after", "said_before") if is_turned else ("said_before", "said_after")
    return sql.SQL(_SIDES).format(
        early=sql.Identifier(names[0]),
        late=sql.Identifier(names[1]),
        columns=_names(served.said),
        past=served.past,
        rows=served.rows,
        first=sql.Literal(early),
        later=sql.Literal(late),
    )


def _counted(connection: psycopg.Connection[Any], served: _Served, sides: sql.Composed) -> RelationChange:
    row = connection.execute(
        sides
        + sql.SQL(_COUNT).format(
            key=_names(served.key), before=_names(served.content, "b"), after=_names(served.content, "a")
        )
    ).fetchone()
    return RelationChange(served.label, **(row or {"new": 0, "changed": 0, "gone": 0}))


def _figures(
    connection: psycopg.Connection[Any], served: _Served, sides: sql.Composed, wanted: dict[str, Any]
) -> list[Difference]:
    differing = sql.SQL(", ").join(
        sql.SQL("case when b.{0} is distinct from a.{0} then {1} end").format(sql.Identifier(name), sql.Literal(name))
        for name in served.content
    )
    query = sides + sql.SQL(_FIGURES).format(
        key=_names(served.key),
        differing=differing,
        before=_names(served.content, "b"),
        after=_names(served.content, "a"),
    )
    with connection.cursor(row_factory=class_row(Difference)) as cursor:
        return cursor.execute(query, wanted).fetchall()


def _by_indicator(figures: Sequence[Difference], causes: dict[str, tuple[Cause, ...]]) -> Iterable[IndicatorChange]:
    grouped: dict[str, list[Difference]] = defaultdict(list)
    for figure in figures:
        grouped[figure.indicator_code].append(figure)
    for code, own in grouped.items():
        changed = [one for one in own if one.kind == "changed"]
        moved = [one for one in changed if one.value_before is not None and one.value_after is not None]
        moved = [one for one in moved if one.value_before != one.value_after]
        hidden = [one for one in changed if (one.value_before is None) != (one.value_after is None)]
        yield IndicatorChange(
            code,
            figures=len(own),
            new=sum(one.kind == "new" for one in own),
            gone=sum(one.kind == "gone" for one in own),
            value_changed=len(moved),
            hidden=len(hidden),
            otherwise=len(changed) - len(moved) - len(hidden),
            largest=max(moved, key=_size, default=None),
            causes=causes.get(code, ()),
        )


def _size(figure: Difference) -> Decimal:
    return abs((figure.value_after or Decimal()) - (figure.value_before or Decimal()))


def _causes(
    connection: psycopg.Connection[dict[str, Any]], figures: Sequence[Difference], early: int, late: int
) -> dict[str, tuple[Cause, ...]]:
    """What the releases after *early* up to *late* took up that reaches the figures, by indicator."""
    if not figures:
        return {}
    releases = connection.execute(_RELEASES, [early, late]).fetchall()
    general = [
        Cause(row["release_id"], "undo", f"release {row['undoes_release_id']}", note=row["note"])
        if row["kind"] == "undo"
        else Cause(row["release_id"], "full build", None)
        for row in releases
        if row["kind"] == "undo" or row["build_kind"] == "full"
    ]
    touches = connection.execute(_TOUCHES, [early, late]).fetchall()
    own: dict[str, list[Difference]] = defaultdict(list)
    for figure in figures:
        own[figure.indicator_code].append(figure)
    inputs = inputs_of_all(connection, list(own))
    result: dict[str, tuple[Cause, ...]] = {}
    for code, cells in own.items():
        periods = {(cell.period_start, cell.period_end) for cell in cells}
        counties = _counties(connection, {cell.area_code for cell in cells})
        made_of = inputs.get(code, Inputs({}, []))
        reaching = [touch for touch in touches if _reaches(touch, made_of, periods, counties)]
        said_by = {cell.said_by_release for cell in cells}
        # An undo is a cause of what it said; of a figure that is gone nobody says who took it away.
        undone = [one for one in general if one.cause != "undo" or said_by & {one.release_id, None}]
        result[code] = (*_joined(reaching), *undone)
    return result


def _counties(connection: psycopg.Connection[dict[str, Any]], areas: set[str]) -> set[str]:
    rows = connection.execute("select c as county_code from ops.counties_of(%s) as c", [list(areas)]).fetchall()
    return areas | {str(row["county_code"]) for row in rows}


def _reaches(
    touch: dict[str, Any],
    made_of: Inputs,
    periods: set[tuple[dt.date, dt.date]],
    counties: set[str],
) -> bool:
    if touch["cause"] in {"seed", "model"}:
        return touch["source"] in made_of.nodes
    how_far = made_of.reach.get(AS_OF if touch["cause"] == "as_of" else str(touch["source"]))
    if how_far is None:
        return False
    first, last = reached_period(how_far, touch["first"], touch["last"])
    is_there = how_far.is_everywhere or touch["county_code"] in {"*", "unknown"} or touch["county_code"] in counties
    return is_there and any(first <= end and start <= last for start, end in periods)


def _joined(touches: Iterable[dict[str, Any]]) -> Iterable[Cause]:
    batches: dict[tuple[int, str, str | None], set[int]] = defaultdict(set)
    rules: dict[tuple[int, str, str | None], set[str]] = defaultdict(set)
    for touch in touches:
        key = touch["release_id"], touch["cause"], touch["source"]
        batches[key] |= set() if touch["batch_id"] is None else {int(touch["batch_id"])}
        rules[key] |= set(touch["rules"] or ())
    for key in sorted(batches, key=lambda one: (one[0], one[1], one[2] or "")):
        yield Cause(*key, tuple(sorted(batches[key])), tuple(sorted(rules[key])))


def _names(columns: Sequence[str], alias: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in columns)


def serving_release(connection: psycopg.Connection[Any]) -> int:
    """The release that serves.

    Raises:
        ReleaseError: There is none yet.
    """
    row = connection.cursor(row_factory=tuple_row).execute("select release_id from ops.current_release").fetchone()
    if row is None:
        raise ReleaseError("There is no release yet.", advice="`threegaps build` makes one.")
    return int(row[0])
