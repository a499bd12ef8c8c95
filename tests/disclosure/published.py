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
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tests.disclosure.attacker import Bounds, Integers, Truths, attack_matrix
from tests.disclosure.counts import FEWEST, Book, counted
from tests.disclosure.release import PROVINCE, Release
from tests.disclosure.structure import WITHOUT, Count, Structure
from tests.disclosure.sums import System, made

# A small count may lie in no narrower interval: from zero to three, say.
NARROWEST = 3
Kind = tuple[str, str, str, str]


class State(NamedTuple):
    """A count while it has one value: one that changed between two releases is another one.

    Args:
        of: The count.
        value: Its value.
    """

    of: Count
    value: int


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


def examine(structure: Structure, releases: Sequence[Release], *, programs: int = 100) -> Findings:
    """Attack *releases* together and say what was found.

    Args:
        structure: Which counts are the same and which sums hold.
        releases: What was shown and what was true, release by release.
        programs: On how many of the narrowest counts linear programming is tried.

    Raises:
        ValueError: What is shown contradicts itself, so that the attacker was misled; or the structure is wrong: two
            counts of one name differ, what should add up does not, or a part is more than its whole. The rows of
            `seed_measure` or `seed_subset` are named.
    """
    book = Book(structure)
    system = made(book, releases)
    is_secret = ~book.are_public(system.keys)
    is_small = is_secret & (system.truth >= 1) & (system.truth < FEWEST)
    is_hidden = is_secret & ~system.is_shown
    targets = np.flatnonzero(is_small & is_hidden)
    found = attack_matrix(system.matrix, (), system.low, system.high, targets, programs)
    return _judged(book, system, found, is_small, is_hidden)


def _judged(book: Book, system: System, found: Bounds, is_small: Truths, is_hidden: Truths) -> Findings:
    def state(number: int) -> State:
        return State(book.count(int(system.keys[number])), int(system.truth[number]))

    is_missed = (system.truth < found.low) | (system.truth > found.high)
    if is_missed.any():
        one = int(np.flatnonzero(is_missed)[0])
        raise ValueError(
            f"{state(one).of} is {system.truth[one]}, and the attacker believes it between {found.low[one]} and"
            f" {found.high[one]}"
        )
    exact = np.flatnonzero(found.is_exact & is_hidden)
    narrow = np.flatnonzero(is_small & (found.high - found.low < NARROWEST))
    return Findings(
        {state(number): int(system.truth[number]) for number in exact.tolist()},
        {state(number): (int(found.low[number]), int(found.high[number])) for number in narrow.tolist()},
        hidden=int(is_hidden.sum()),
        small=int(is_small.sum()),
        counts=len(system.truth),
        equations=system.matrix.n_rows,
        programmed=found.programmed,
    )


def undeclared_equals(structure: Structure, release: Release, *, fewest: int = 30) -> set[frozenset[Kind]]:
    """Pairs of counts of different names that are equal in all areas and periods that both have.

    Args:
        structure: Which counts are declared the same.
        release: The exact cells.
        fewest: Counts that have fewer cells with anybody in common are not compared.
    """
    book = Book(structure)
    cells = counted(book, release)
    kinds, places = cells.keys >> Book.KIND, cells.keys & ((1 << Book.KIND) - 1)
    series = {
        book.kinds[int(kinds[entries[0]])]: (places[entries], cells.values[entries])
        for entries in np.split(np.arange(len(kinds)), np.flatnonzero(np.diff(kinds)) + 1)
        if len(entries)
    }
    province = book.area(PROVINCE) << Book.AREA
    alike: dict[tuple[int, int], list[Kind]] = defaultdict(list)
    for name, (where, values) in series.items():
        # all without a part in which nobody was counted: the same for want of cases
        _, without, part = name[1].rpartition(WITHOUT)
        if without and not series.get((name[0], part, *name[2:]), ((), np.zeros(0)))[1].any():
            continue
        is_wanted = (where >> Book.AREA << Book.AREA == province) & (values > 0)
        for place, value in zip(where[is_wanted].tolist(), values[is_wanted].tolist(), strict=True):
            alike[place, value].append(name)
    pairs = {frozenset(pair) for names in alike.values() for pair in itertools.combinations(names, 2)}
    pairs -= set(_complements(structure))
    return {pair for pair in pairs if _are_equal([series[name] for name in pair], fewest)}


def _complements(structure: Structure) -> Iterator[frozenset[Kind]]:
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


def _are_equal(columns: list[tuple[Integers, Integers]], fewest: int) -> bool:
    (ours, one), (theirs, other) = columns
    _, here, there = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    return int((one[here] > 0).sum()) >= fewest and bool((one[here] == other[there]).all())
