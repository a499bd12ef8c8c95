"""What follows from everything that readers can see: the attack on the marts, and what it found.

The attacker knows all figures that are shown, of one release or of several, and the structure. He is helped where he
would have to guess: he is told which sums hold exactly, which of numerator, denominator and complement made a cell too
small to be shown, which figures are exact, and which counts did not change between two releases. What he cannot find
out with this, no reader can. A cell that is missing where others like it stand is a zero to him.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from tests.disclosure.absence import absent
from tests.disclosure.attacker import FAR, Attack, System, attack
from tests.disclosure.structure import WITHOUT, Count, Side, Structure, complement, sums

Cell = dict[str, Any]
Key = tuple[Any, ...]

# Which sides are a part and its whole.
PAIRS = (("numerator", "denominator"), ("comparison_numerator", "comparison_denominator"))

# Fewer persons than this are hidden.
FEWEST = 10
# A figure that is rounded stands for so many values.
TEN = 10
# A small count may lie in no narrower interval: from zero to three, say.
NARROWEST = 3

_EXACT = """
select indicator_code, area_code, area_level, period_type, period_end, breakdown, breakdown_value,
       numerator, denominator, comparison_numerator, comparison_denominator
from {schema}.indicator_measured
"""
_SHOWN = """
select indicator_code, area_code, area_level, period_type, period_end, breakdown, breakdown_value,
       numerator, denominator, comparison_numerator, comparison_denominator, is_exact, is_suppressed, is_immature
from {schema}.indicator_shown
"""


@dataclass(frozen=True, slots=True)
class Release:
    """The exact cells of one release and those that were shown, by key."""

    exact: dict[Key, Cell]
    shown: dict[Key, Cell]


class State(NamedTuple):
    """A count while it has one value: one that changed between two releases is another one.

    Args:
        of: The count.
        number: Which of its values, from 0 in the order of the releases.
    """

    of: Count
    number: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What an attack found.

    Args:
        exact: Counts that are not shown and follow exactly, with their values.
        narrow: Counts of one to nine that lie in too narrow an interval, with it.
        hidden: How many counts were not shown.
        small: How many of all counts are one to nine.
        counts: How many counts there are.
        equations: How many sums.
        programmed: On how many counts linear programming was tried.
    """

    exact: dict[State, int]
    narrow: dict[State, tuple[int, int]]
    hidden: int
    small: int
    counts: int
    equations: int
    programmed: int


@dataclass(slots=True)
class _World:
    """The true counts, and which of them are shown."""

    truth: dict[State, int] = field(default_factory=dict)
    shown: set[State] = field(default_factory=set)
    states: dict[Count, list[int]] = field(default_factory=lambda: defaultdict(list))

    def name(self, count: Count, value: int) -> State:
        """The name of *count* while it has *value*."""
        values = self.states[count]
        if value not in values:
            values.append(value)
        name = State(count, values.index(value))
        self.truth[name] = value
        return name


def read_release(connection: psycopg.Connection[Any], schema: str = "build") -> Release:
    """The release that stands in *schema*."""
    with connection.cursor(row_factory=dict_row) as cursor:
        exact = {key_of(cell): cell for cell in cursor.execute(_EXACT.format(schema=schema).encode())}
        shown = {key_of(cell): cell for cell in cursor.execute(_SHOWN.format(schema=schema).encode())}
    return Release(exact, shown)


def key_of(cell: Cell) -> Key:
    """The key of a cell."""
    names = ("indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value")
    return tuple(cell[name] for name in names)


def examine(structure: Structure, releases: Sequence[Release], *, programs: int = 100) -> Findings:
    """Attack *releases* together and say what was found.

    Args:
        structure: Which counts are the same and which sums hold.
        releases: What was shown and what was true, release by release.
        programs: On how many of the narrowest counts linear programming is tried.

    Raises:
        ValueError: What is shown contradicts itself, so that the attacker was misled; or the structure is wrong: two
            counts of one name differ, or what should add up does not. The rows of `seed_measure` are named.
    """
    system, world = System(), _World()
    for release in releases:
        _add_release(system, world, structure, release)
    targets = [name for name, value in world.truth.items() if 1 <= value < FEWEST and name not in world.shown]
    return _judged(world, attack(system, targets, programs=programs), system)


def undeclared_equals(
    structure: Structure, release: Release, *, fewest: int = 30
) -> set[frozenset[tuple[str, str, str, str]]]:
    """Pairs of counts of different names that are equal in all areas and periods that both have.

    Args:
        structure: Which counts are declared the same.
        release: The exact cells.
        fewest: Counts that have fewer cells with anybody in common are not compared.
    """
    series: dict[tuple[str, str, str, str], dict[Key, int]] = defaultdict(dict)
    for count, value in _counts(structure, release).items():
        series[_kind(count)][count.area, count.period] = value
    alike: dict[Key, list[tuple[str, str, str, str]]] = defaultdict(list)
    for name, values in series.items():
        # all without a part in which nobody was counted: the same for want of cases
        _, without, part = name[1].rpartition(WITHOUT)
        if without and not any(series.get((name[0], part, *name[2:]), {}).values()):
            continue
        province = {key: value for key, value in values.items() if key[0] == "330000" and value}
        for key, value in province.items():
            alike[key, value].append(name)
    pairs = {frozenset(pair) for names in alike.values() for pair in itertools.combinations(names, 2)}
    pairs -= set(_complements(structure))
    return {pair for pair in pairs if _are_equal([series[name] for name in pair], fewest)}


def _complements(structure: Structure) -> Iterator[frozenset[tuple[str, str, str, str]]]:
    """Of a count that two make up: one of them and what the other leaves are the same."""
    for (kind, whole), partitions in structure.partitions.items():
        if kind != "count":
            continue
        for parts in (partition.parts for partition in partitions if len(partition.parts) == 2):
            measure, of = whole.split(" ", 1)
            for one, other in itertools.permutations(part.removeprefix(f"{measure} ") for part in parts):
                yield frozenset({
                    (measure, one, "total", "total"), (measure, f"{of}{WITHOUT}{other}", "total", "total"),
                })  # fmt: skip


def _are_equal(columns: list[dict[Key, int]], fewest: int) -> bool:
    one, other = columns
    both = one.keys() & other.keys()
    return sum(one[key] > 0 for key in both) >= fewest and all(one[key] == other[key] for key in both)


def _counts(structure: Structure, release: Release) -> dict[Count, int]:
    """The exact counts, with the complements of shares."""
    counts: dict[Count, int] = {}
    for cell in release.exact.values():
        named = {side.side: side for side in structure.sides_of(cell) if cell[side.side] is not None}
        sides = {name: structure.count_of(side, cell) for name, side in named.items()}
        own = {count: int(cell[name]) for name, count in sides.items()}
        for part, whole in PAIRS:
            if part in sides and whole in sides and _leaves_others(sides[part], sides[whole], cell[part], cell[whole]):
                own[complement(sides[part], sides[whole])] = int(cell[whole]) - int(cell[part])
        for count, value in own.items():
            if counts.setdefault(count, value) != value:
                raise ValueError(
                    f"{count} is {counts[count]} and, in {cell['indicator_code']}, {value}: not the same count, which"
                    f" seed_measure says in {_rows(structure, count)}"
                )
    return counts


def _rows(structure: Structure, count: Count) -> str:
    return "; ".join(structure.rows.get(count.measure, ("no row",)))


def _add_release(system: System, world: _World, structure: Structure, release: Release) -> None:
    counts = _counts(structure, release)
    for key, cell in release.exact.items():
        _add_cell(system, world, structure, cell, release.shown.get(key))
    for cell in absent(release.shown):
        for side in structure.sides_of(cell):
            count = structure.count_of(side, cell)
            if counts.get(count, 0) == 0:
                name = world.name(count, 0)
                system.unknown(name)
                system.bound(name, 0, 0)
    periods = {(count.measure, count.period) for count in counts}
    kinds = {_kind(count) for count in counts}
    for count, value in counts.items():
        for kind, parts in sums(structure, count):
            # a period that was not covered has no counts; an area or a part without a cell has nobody
            if any((part.measure, part.period) not in periods for part in parts):
                continue
            if not any(part in counts for part in parts):
                continue
            values = [counts.get(part, 0) for part in parts]
            if sum(values) == value:
                names = [world.name(part, found) for part, found in zip(parts, values, strict=True)]
                system.adds_up(world.name(count, value), names)
                # a part that its indicator does not have holds nobody, which everybody may know
                for name in (name for name in names if _kind(name.of) not in kinds):
                    world.shown.add(name)
                    system.bound(name, 0, 0)
            elif kind in structure.adds_up.get(count.measure, ()):
                raise ValueError(
                    f"{count} is {value}, and what makes it up by {kind} is {sum(values)}: wrong is an edge or"
                    f" one of these rows of seed_measure: {_rows(structure, count)}"
                )


def _kind(count: Count) -> tuple[str, str, str, str]:
    """What is counted, wherever and whenever."""
    return count.measure, count.part, count.breakdown, count.breakdown_value


def _add_cell(system: System, world: _World, structure: Structure, cell: Cell, shown: Cell | None) -> None:
    sides = structure.sides_of(cell)
    named = {side.side: (side, structure.count_of(side, cell)) for side in sides if cell[side.side] is not None}
    for name, (_, count) in named.items():
        _bound(system, world, world.name(count, int(cell[name])), shown, name)
    for part, whole in PAIRS:
        if part not in named or whole not in named:
            continue
        if _leaves_others(named[part][1], named[whole][1], cell[part], cell[whole]):
            _add_complement(system, world, named[part], named[whole], cell, shown)


def _leaves_others(part: Count, whole: Count, few: int, many: int) -> bool:
    """Whether there is a count of those who are in *whole* and not in *part*.

    There is none where both are the same, or where more are counted in the part than in the whole: it is no part then.
    """
    return part != whole and few <= many


def _add_complement(
    system: System, world: _World, part: tuple[Side, Count], whole: tuple[Side, Count], cell: Cell, shown: Cell | None
) -> None:
    """Those of the denominator who are not in the numerator are a count too."""
    few, many = int(cell[part[0].side]), int(cell[whole[0].side])
    rest = world.name(complement(part[1], whole[1]), many - few)
    system.adds_up(world.name(whole[1], many), [world.name(part[1], few), rest])
    if shown is None:
        return
    if not shown["is_suppressed"]:
        # the complement of a share that is shown is shown with its sides, exactly or by tens as they are
        world.shown.add(rest)
        system.bound(rest, FEWEST, FAR)
    elif many - few < FEWEST:
        system.bound(rest, 0, FEWEST - 1)


def _bound(system: System, world: _World, name: State, shown: Cell | None, side: str) -> None:
    value = world.truth[name]
    system.unknown(name)
    if shown is None:
        return
    if shown["is_suppressed"]:
        if value < FEWEST:
            system.bound(name, 0, FEWEST - 1)
    elif shown[side] is not None:
        world.shown.add(name)
        figure = int(shown[side])
        if shown["is_exact"]:
            system.bound(name, figure, figure)
        else:
            lowest = figure // TEN * TEN
            system.bound(name, lowest, lowest + TEN - 1)


def _judged(world: _World, found: Attack, system: System) -> Findings:
    exact, narrow = {}, {}
    for name, value in world.truth.items():
        low, high = found.interval(name)
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}, and the attacker believes it between {low} and {high}")
        if 1 <= value < FEWEST and high - low < NARROWEST:
            narrow[name] = (low, high)
        if name not in world.shown and found.is_exact(name):
            exact[name] = value
    return Findings(
        exact,
        narrow,
        hidden=sum(name not in world.shown for name in world.truth),
        small=sum(1 <= value < FEWEST for value in world.truth.values()),
        counts=len(world.truth),
        equations=len(system.equations),
        programmed=found.programmed,
    )
