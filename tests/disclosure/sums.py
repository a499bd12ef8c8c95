"""The sums that hold between the counts of some releases, as equations of numbered counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from tests.disclosure.absence import absent
from tests.disclosure.attacker import FAR, Integers, Matrix, Truths
from tests.disclosure.counts import FEWEST, NOBODY, Book, Cells, Known, counted, keys_of, merged, rest_of, rows_of
from tests.disclosure.release import PROVINCE, SIDES, Release

PERIOD_TYPES = ("day", "month", "quarter", "ytd", "year")


@dataclass(frozen=True, slots=True)
class System:
    """What the attacker faces, by the number of each count.

    Args:
        keys: The counts.
        truth: What they are.
        is_shown: Whether the figure is there to read.
        low: The least that it may be.
        high: The most.
        matrix: The sums.
    """

    keys: Integers
    truth: Integers
    is_shown: Truths
    low: Integers
    high: Integers
    matrix: Matrix


@dataclass(slots=True)
class _Sums:
    """Sums by the number of their parts: a row a sum, the whole first, each count with its value."""

    of: dict[int, list[Integers]] = field(default_factory=dict)

    def add(self, wholes: Integers, whole_values: Integers, parts: Integers, values: Integers) -> None:
        rows = np.column_stack([states(wholes, whole_values), states(parts, values)])
        self.of.setdefault(rows.shape[1], []).append(rows)


def states(keys: Integers, values: Integers) -> Integers:
    """Counts with their values, each pair as one number: a count that changed between releases is two unknowns.

    Raises:
        OverflowError: A value is negative or larger than what fits beside its key.
    """
    is_unfit = (values < 0) | (values >= 1 << Book.VALUES)
    if is_unfit.any():
        raise OverflowError(f"{values[is_unfit][0]} does not fit into {Book.VALUES} bits beside its key")
    return keys << Book.VALUES | values


def made(book: Book, releases: Sequence[Release]) -> System:
    """The unknowns and sums of *releases* together.

    Raises:
        ValueError: Two counts of one name differ, what should add up does not, or a part is more than its whole.
    """
    sums, known = _Sums(), []
    for release in releases:
        cells = counted(book, release)
        known += [*cells.known, *_absent(book, cells, release), _public(book, cells)]
        for wholes, parts, rests in cells.rests:
            both = np.column_stack([parts, rests])
            sums.add(wholes, cells.values_of(wholes), both, cells.values_of(both))
        known += _subsets(book, cells, sums)
        known += _additions(book, cells, sums)
    return _numbered(sums, merged(known))


def _numbered(sums: _Sums, known: Known) -> System:
    tables = {width: np.unique(np.concatenate(rows), axis=0) for width, rows in sums.of.items()}
    everything = [states(known.keys, known.values), *(rows.reshape(-1) for rows in tables.values())]
    names = np.unique(np.concatenate([np.unique(one) for one in everything]))
    low, high = np.zeros(len(names), np.int64), np.full(len(names), FAR, np.int64)
    at = np.searchsorted(names, everything[0])
    np.maximum.at(low, at, known.low)
    np.minimum.at(high, at, known.high)
    is_shown = np.zeros(len(names), np.bool_)
    is_shown[at[known.is_shown]] = True
    rows, columns, signs, n_rows = [], [], [], 0
    for width, table in tables.items():
        columns.append(np.searchsorted(names, table.reshape(-1)).astype(np.int32))
        rows.append(np.repeat(np.arange(n_rows, n_rows + len(table), dtype=np.int32), width))
        signs.append(np.tile(np.array([1] + [-1] * (width - 1), np.int8), len(table)))
        n_rows += len(table)
    if n_rows:
        matrix = Matrix(np.concatenate(rows), np.concatenate(columns), np.concatenate(signs), n_rows)
    else:
        matrix = Matrix.of(())
    return System(names >> Book.VALUES, names & (1 << Book.VALUES) - 1, is_shown, low, high, matrix)


def _nobody(keys: Integers, *, is_shown: bool) -> Known:
    zeros = np.zeros(len(keys), np.int64)
    return Known(keys, zeros, zeros, zeros, np.full(len(keys), is_shown))


def _public(book: Book, cells: Cells) -> Known:
    """What is public of persons, wherever else it is counted."""
    keys = cells.keys[book.are_public(cells.keys)]
    values = cells.values_of(keys)
    return Known(keys, values, values, values, np.ones(len(keys), np.bool_))


def _absent(book: Book, cells: Cells, release: Release) -> Iterator[Known]:
    """Cells that are missing where others like them stand are zeros to him."""
    missing = absent(release.shown)
    keys = keys_of(book, missing)
    for side in SIDES:
        found = keys[side][keys[side] != NOBODY]
        yield _nobody(found[cells.values_of(found) <= 0], is_shown=False)


def _subsets(book: Book, cells: Cells, sums: _Sums) -> Iterator[Known]:
    """A count within another one is at most as large, and who is left is a count too: shown where both are.

    That two totals of the province stand in tens may be because so few are left between them: he is told where.
    """
    totals, province = book.structure.totals(), book.area(PROVINCE)
    is_shown, is_exact = np.zeros((2, len(cells.keys)), np.bool_)
    for known in cells.known:
        is_shown[np.searchsorted(cells.keys, known.keys[known.is_shown])] = True
        is_exact[np.searchsorted(cells.keys, known.keys[known.is_shown & (known.low == known.high)])] = True
    is_rounded = is_shown & ~is_exact
    for kind, keys in list(_by_kind(cells)):
        for whole, period_types in book.structure.wholes_of(book.of_kind(kind)):
            wholes = book.kind(whole) << Book.KIND | (keys & (1 << Book.KIND) - 1)
            is_meant = np.array([not period_types or period.kind in period_types for period in book.periods], np.bool_)
            is_there = (wholes != keys) & (cells.values_of(wholes) != NOBODY)
            is_there &= is_meant[keys & (1 << Book.AREA) - 1]
            parts, wholes = keys[is_there], wholes[is_there]
            few, many = cells.values_of(parts), cells.values_of(wholes)
            for one in np.flatnonzero(few > many)[:1].tolist():
                raise ValueError(
                    f"{book.count(int(parts[one]))} is {few[one]}, more than the {many[one]} of {whole.measure},"
                    f" {whole.part} that it is within by its name or by seed_subset"
                )
            rests, left = rest_of(book, parts, wholes), many - few
            sides = [np.searchsorted(cells.keys, side) for side in (parts, wholes)]
            are_shown = is_shown[sides[0]] & is_shown[sides[1]]
            sums.add(wholes, many, np.column_stack([parts, rests]), np.column_stack([few, left]))
            is_told = (rests >> Book.AREA & (1 << Book.AREAS) - 1 == province) & (left < FEWEST)
            is_told &= is_rounded[sides[0]] & is_rounded[sides[1]] & ({whole[:2], book.of_kind(kind)[:2]} <= totals)
            zeros = np.zeros(len(rests), np.int64)
            yield Known(rests, left, zeros, np.where(is_told, FEWEST - 1, FAR), are_shown)


def _by_kind(cells: Cells) -> Iterator[tuple[int, Integers]]:
    kinds = cells.keys >> Book.KIND
    for keys in np.split(cells.keys, np.flatnonzero(np.diff(kinds)) + 1):
        if len(keys):
            yield int(keys[0]) >> Book.KIND, keys


def _additions(book: Book, cells: Cells, sums: _Sums) -> Iterator[Known]:
    """Smaller areas, shorter periods and parts that add up."""
    kinds = {kind for kind, _ in _by_kind(cells)}
    additions = [*_by_area(book, cells), *_by_period(book, cells), *_by_part(book, cells, kinds)]
    numbers: dict[str, int] = {}
    measures = np.array([numbers.setdefault(kind[0], len(numbers)) for kind in book.kinds], np.int64)
    is_there = np.zeros(len(book.kinds), np.bool_)
    is_there[list(kinds)] = True
    is_covered = np.zeros((len(numbers), 1 << Book.AREA), np.bool_)
    is_covered[measures[cells.keys >> Book.KIND], cells.keys & (1 << Book.AREA) - 1] = True
    places = np.unique(cells.keys >> Book.AREA)
    period_types = np.array([PERIOD_TYPES.index(period.kind) for period in book.periods], np.int64)
    # of a kind that no cell has, everybody knows in whatever period that nobody is of it
    is_counted = np.repeat(~is_there[:, None], len(PERIOD_TYPES), axis=1)
    is_counted[cells.keys >> Book.KIND, period_types[cells.keys & (1 << Book.AREA) - 1]] = True
    for how, wholes, shifts in additions:
        parts = wholes[:, None] + shifts
        values = cells.values_of(parts)
        # a period that was not covered has no counts, nor has one of a type that is not counted so; an area or a part
        # without a cell has nobody
        part_kinds, part_periods = parts >> Book.KIND, parts & (1 << Book.AREA) - 1
        is_asked = (
            is_covered[measures[part_kinds], part_periods] & is_counted[part_kinds, period_types[part_periods]]
        ).all(axis=1)
        is_asked &= (values != NOBODY).any(axis=1)
        values, found = np.maximum(values, 0), cells.values_of(wholes)
        holds = values.sum(axis=1) == found
        is_wrong = is_asked & ~holds
        # of an indicator that is made for larger areas only, what lies outside of them is not counted
        is_wrong[is_wrong] = np.isin(parts[is_wrong] >> Book.AREA, places).all(axis=1) | (how != "area")
        _refuse(book, how, wholes[is_wrong], found[is_wrong], values[is_wrong])
        holds &= is_asked
        sums.add(wholes[holds], found[holds], parts[holds], values[holds])
        # a part that its indicator does not have holds nobody, which everybody may know
        others = parts[holds].reshape(-1)
        yield _nobody(others[~is_there[others >> Book.KIND]], is_shown=True)


def _refuse(book: Book, how: str, wholes: Integers, found: Integers, values: Integers) -> None:
    """Whose method adds up is held to it."""
    for key, value, total in zip(wholes.tolist(), found.tolist(), values.sum(axis=1).tolist(), strict=True):
        count = book.count(key)
        if how in book.structure.adds_up.get(count.measure, ()):
            raise ValueError(
                f"{count} is {value}, and what makes it up by {how} is {total}: wrong is an edge or"
                f" one of these rows of seed_measure: {rows_of(book.structure, count)}"
            )


Additions = Iterator[tuple[str, Integers, Integers]]


def _by_area(book: Book, cells: Cells) -> Additions:
    areas = cells.keys >> Book.AREA & (1 << Book.AREAS) - 1
    ends = np.array([period.end.toordinal() for period in book.periods], np.int64)
    end = ends[cells.keys & (1 << Book.AREA) - 1]
    for (kind, whole), partitions in book.structure.partitions.items():
        if kind != "area":
            continue
        is_whole = areas == book.area(whole)
        for partition in partitions:
            is_valid = (end >= partition.valid_from.toordinal()) & (end < partition.valid_to.toordinal())
            wholes = cells.keys[is_whole & is_valid]
            parts = np.array([book.area(part) - book.area(whole) for part in partition.parts], np.int64) << Book.AREA
            if len(wholes):
                yield "area", wholes, parts


def _by_period(book: Book, cells: Cells) -> Additions:
    numbers = cells.keys & (1 << Book.AREA) - 1
    areas = cells.keys >> Book.AREA & (1 << Book.AREAS) - 1
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], np.arange(len(book.periods) + 1))
    members = cache(book.structure.members)
    for number, period in list(enumerate(book.periods)):
        entries = order[starts[number] : starts[number + 1]]
        for shorter in book.structure.shorter(period):
            # an area whose members changed in between is another one
            ends = {period.end, *(one.end for one in shorter)}
            is_same = np.array([len({members(area, end) for end in ends}) == 1 for area in book.areas], np.bool_)
            parts = np.array([book.period(one) - number for one in shorter], np.int64)
            wholes = cells.keys[entries[is_same[areas[entries]]]]
            if len(wholes):
                yield "period", wholes, parts


def _by_part(book: Book, cells: Cells, kinds: set[int]) -> Additions:
    for kind, wholes in list(_by_kind(cells)):
        for parts in book.structure.parts_of(book.of_kind(kind)):
            # a kind that no cell has gets a number only beside one that some cell has
            if kinds.isdisjoint(book.numbered(parts)):
                continue
            numbers = [book.kind(part) for part in parts]
            if len({kind, *numbers}) == len(numbers) + 1:
                shifts = np.array([number - kind for number in numbers], np.int64) << Book.KIND
                yield "part", wholes, shifts
