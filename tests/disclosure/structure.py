"""What anyone may know of the figures: which counts are the same, and which sums hold between areas, periods and parts.

All of it is data of the project: `seed_measure` names the count behind each side of an indicator, `cell_edge` says what
is part of what and since when.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

import psycopg

# The breakdown of a row that holds for all cells of an indicator.
ANY = "any"
# Between the names of two counts: those of the first that are not in the second.
WITHOUT = " without "
# A count that another one is within, by measure and part, with the types of periods of which that holds; none: of all.
Whole = tuple[str, str, frozenset[str]]


class Period(NamedTuple):
    """A period by its key."""

    kind: str
    end: dt.date


class Count(NamedTuple):
    """One count: of whom, where, when."""

    measure: str
    part: str
    area: str
    period: Period
    breakdown: str
    breakdown_value: str


class Side(NamedTuple):
    """The count behind one side of an indicator.

    Args:
        side: Its column: numerator, denominator, or the same of the comparison.
        measure: Who is counted; the same name is the same count.
        part: Which of them; `all` for all.
    """

    side: str
    measure: str
    part: str


@dataclass(frozen=True, slots=True)
class Partition:
    """What adds up to a whole from one day to another (excluded)."""

    parts: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date


@dataclass(frozen=True, slots=True)
class Structure:
    """What is the same and what adds up.

    Args:
        sides: By indicator.
        names: Counts of one value of a breakdown that have a name of their own, by measure, part, breakdown and value.
        partitions: By kind (area, period, part, numerator, count) and whole; the whole of parts is their breakdown.
        breakdowns: Those whose parts add up.
        numerator_breakdowns: Those of which only the numerators add up.
        numerators: What stands in a numerator, by measure and part.
        list_areas: The groups that a value of the breakdown `list` compares: those listed and the rest.
        adds_up: Along which kinds a count adds up by the method of its indicator, by measure.
        rows: The rows of `seed_measure` that name a measure.
        public: Measures that an indicator without protection names: whatever is counted of them is known.
        wholes: The counts that a count is within, by measure and part, with the types of periods of which that holds;
            of totals also those that they are within by several steps.
    """

    sides: dict[str, tuple[Side, ...]]
    names: dict[tuple[str, str, str, str], tuple[str, str]]
    partitions: dict[tuple[str, str], tuple[Partition, ...]]
    breakdowns: tuple[str, ...]
    list_areas: dict[tuple[str, str], str]
    numerator_breakdowns: tuple[str, ...] = ()
    numerators: frozenset[tuple[str, str]] = frozenset()
    adds_up: dict[str, frozenset[str]] = field(default_factory=dict)
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    public: frozenset[str] = frozenset()
    wholes: dict[tuple[str, str], tuple[Whole, ...]] = field(default_factory=dict)

    def sides_of(self, cell: dict[str, Any]) -> tuple[Side, ...]:
        """The sides of *cell* whose counts have a name."""
        return self.sides.get(cell["indicator_code"], ())

    def count_of(self, side: Side, cell: dict[str, Any]) -> Count:
        """The count that stands on *side* of *cell*; a list of counties is a group of its own."""
        area, breakdown, breakdown_value = cell["area_code"], cell["breakdown"], cell["breakdown_value"]
        if breakdown == "list":
            group = "rest" if side.side.startswith("comparison") else "listed"
            area, breakdown, breakdown_value = self.list_areas[breakdown_value, group], "total", "total"
        period = Period(cell["period_type"], cell["period_end"])
        return self.named(Count(side.measure, side.part, area, period, breakdown, breakdown_value))

    def named(self, count: Count) -> Count:
        """*count* by the name of its own, where it has one; a complement by those of its sides."""
        own = self.names.get((count.measure, count.part, count.breakdown, count.breakdown_value))
        if own is not None:
            return count._replace(measure=own[0], part=own[1], breakdown="total", breakdown_value="total")
        whole, _, part = count.part.partition(WITHOUT)
        if part:
            return complement(self.named(count._replace(part=part)), self.named(count._replace(part=whole)))
        return count

    def members(self, area: str, day: dt.date) -> tuple[int, ...]:
        """Which ways to divide *area* hold on a day, by their place among all that ever hold."""
        partitions = self.partitions.get(("area", area), ())
        return tuple(number for number, one in enumerate(partitions) if one.valid_from <= day < one.valid_to)

    def shorter(self, period: Period) -> Iterator[tuple[Period, ...]]:
        """The ways to divide *period*."""
        for partition in self.partitions.get(("period", f"{period.kind} {period.end}"), ()):
            yield tuple(_period(part) for part in partition.parts)

    def parts_of(self, count: Count) -> Iterator[tuple[Count, ...]]:
        """What may add up to *count* in its area and period: the parts of a total, or counts that make it up."""
        if count.breakdown != "total":
            return
        wholes = [("part", breakdown) for breakdown in self.breakdowns]
        if (count.measure, count.part) in self.numerators:
            wholes += [("numerator", breakdown) for breakdown in self.numerator_breakdowns]
        for kind, breakdown in wholes:
            for partition in self.partitions[kind, breakdown]:
                parts = (count._replace(breakdown=breakdown, breakdown_value=part) for part in partition.parts)
                yield tuple(self.named(part) for part in parts)
        for partition in self.partitions.get(("count", f"{count.measure} {count.part}"), ()):
            names = (part.split(" ", 1) for part in partition.parts)
            yield tuple(count._replace(measure=measure, part=part) for measure, part in names)

    def wholes_of(self, count: Count) -> Iterator[tuple[Count, frozenset[str]]]:
        """What *count* is within in its area and part, with the types of periods of which that holds; none: of all."""
        for measure, part, period_types in self.wholes.get((count.measure, count.part), ()):
            yield self.named(count._replace(measure=measure, part=part)), period_types

    def totals(self) -> frozenset[tuple[str, str]]:
        """What stands in the totals of indicators, by measure and part."""
        return frozenset((side.measure, side.part) for sides in self.sides.values() for side in sides)


def complement(part: Count, whole: Count) -> Count:
    """Those of *whole* who are not in *part*; of a complement those that it leaves."""
    rest = part.part.removeprefix(whole.part + WITHOUT)
    if rest != part.part:
        return part._replace(part=rest)
    other = "" if part.measure == whole.measure else f"{whole.measure} "
    return part._replace(part=f"{other}{whole.part}{WITHOUT}{part.part}")


def read_structure(connection: psycopg.Connection[Any]) -> Structure:
    """The structure as the warehouse has it."""
    sides: dict[str, list[Side]] = defaultdict(list)
    own: list[tuple[str, str, str, Side]] = []
    adds_up: dict[str, frozenset[str]] = defaultdict(frozenset)
    rows: dict[str, list[str]] = defaultdict(list)
    public = set()
    for code, breakdown, breakdown_value, side, measure, part, is_additive, is_stock, is_public in connection.execute(
        "select indicator_code, breakdown, breakdown_value, side, seed_measure.measure, part, is_additive,"
        " time_basis = 'stock', disclosure = 'none'"
        " from core.seed_measure join core.seed_indicator using (indicator_code)"
        " join core.seed_method using (method) order by indicator_code, side"
    ):
        # each person of an area is in one of its parts, but may be in two areas; a stock is no sum of earlier ones
        over_areas = {"area"} if is_additive else set()
        over_time = {"period"} if is_additive and not is_stock else set()
        adds_up[measure] |= {"part", *over_areas, *over_time}
        if is_public:
            public.add(measure)
        rows[measure].append(f"{code} {breakdown} {breakdown_value} {side}: {measure}, {part}")
        if breakdown == ANY:
            sides[code].append(Side(side, measure, part))
        else:
            own.append((code, breakdown, breakdown_value, Side(side, measure, part)))
    names = {
        (side.measure, side.part, breakdown, breakdown_value): (named.measure, named.part)
        for code, breakdown, breakdown_value, named in own
        for side in sides[code]
        if side.side == named.side
    }
    list_areas: dict[tuple[str, str], str] = {}
    for code, listed, rest in connection.execute("select list_code, group_code, rest_code from core.seed_county_list"):
        list_areas |= {(code, "listed"): listed, (code, "rest"): rest}
    partitions: dict[tuple[str, str], list[Partition]] = defaultdict(list)
    for kind, whole, parts, valid_from, valid_to in connection.execute(
        "select kind, whole, array_agg(part order by part), valid_from, valid_to from core.cell_edge"
        " where kind != 'subset'"
        " group by kind, partition, whole, valid_from, valid_to order by kind, partition, whole, valid_from"
    ):
        partitions[kind, whole].append(Partition(tuple(parts), valid_from, valid_to))
    structure = Structure(
        {code: tuple(found) for code, found in sides.items()},
        names,
        {key: tuple(found) for key, found in partitions.items()},
        tuple(whole for kind, whole in partitions if kind == "part"),
        list_areas,
        tuple(whole for kind, whole in partitions if kind == "numerator"),
        frozenset(
            (side.measure, side.part) for found in sides.values() for side in found if side.side.endswith("numerator")
        ),
        dict(adds_up),
        {measure: tuple(found) for measure, found in rows.items()},
        frozenset(public),
        _wholes(connection),
    )
    return replace(structure, wholes={**structure.wholes, **dict(_far_wholes(structure))})


def _far_wholes(structure: Structure) -> Iterator[tuple[tuple[str, str], tuple[Whole, ...]]]:
    """What the totals of indicators are within: by however many steps where it is a total too."""
    composed: dict[tuple[str, str], list[Whole]] = defaultdict(list)
    for (kind, whole), partitions in structure.partitions.items():
        for part in (part for partition in partitions if kind == "count" for part in partition.parts):
            measure, of = whole.split(" ", 1)
            part_measure, part_of = part.split(" ", 1)
            composed[part_measure, part_of].append((measure, of, frozenset()))
    totals = structure.totals()
    for count in totals:
        near = structure.wholes.get(count, ())
        found: set[Whole] = set()
        waiting: list[Whole] = [(*count, frozenset())]
        while waiting:
            measure, part, kinds = waiting.pop()
            for whole_measure, whole_part, others in (
                *structure.wholes.get((measure, part), ()), *composed[measure, part],
            ):  # fmt: skip
                both = kinds & others if kinds and others else kinds | others
                if both or not (kinds or others):
                    reached = (whole_measure, whole_part, both)
                    waiting += [reached] if reached not in found else []
                    found.add(reached)
        far = {one for one in found if one[:2] in totals and one[:2] != count} - set(near)
        yield count, (*near, *sorted(far, key=str))


def _wholes(connection: psycopg.Connection[Any]) -> dict[tuple[str, str], tuple[Whole, ...]]:
    wholes: dict[tuple[str, str], list[Whole]] = defaultdict(list)
    for period_types, whole, part in connection.execute(
        "select partition, whole, part from core.cell_edge where kind = 'subset' order by part, whole, partition"
    ):
        (measure, of), (whole_measure, whole_part) = part.split(" ", 1), whole.split(" ", 1)
        kinds = frozenset() if period_types == ANY else frozenset(period_types.split(","))
        wholes[measure, of].append((whole_measure, whole_part, kinds))
    return {count: tuple(found) for count, found in wholes.items()}


@cache
def _period(text: str) -> Period:
    kind, end = text.split(" ")
    return Period(kind, dt.date.fromisoformat(end))
