"""The counts behind the cells of a release, numbered: who is counted, where and when in one whole number.

Millions of counts are held as arrays; only what is found gets its name back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import polars as pl

from tests.disclosure.attacker import FAR, Integers, Truths
from tests.disclosure.release import KEY, SIDES, Release
from tests.disclosure.structure import WITHOUT, Count, Period, Side, Structure, complement

# Which sides are a part and its whole.
PAIRS = (("numerator", "denominator"), ("comparison_numerator", "comparison_denominator"))
# Fewer persons than this are hidden.
FEWEST = 10
# A figure that is rounded stands for so many values.
TEN = 10
NOBODY = -1
Thing = TypeVar("Thing")
_ANYWHEN = Period("year", dt.date(1900, 12, 31))


class Book:
    """Numbers of kinds of counts, areas and periods, and the keys that they make together.

    Args:
        structure: Which counts are the same and which sums hold.
    """

    # Bits of what a key and a value are made of, together the 63 of a whole number that is not negative.
    KINDS, AREAS, PERIODS, VALUES = 16, 9, 11, 27
    # Bits of a key below the area, and below the kind.
    AREA = PERIODS
    KIND = PERIODS + AREAS

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.kinds: list[tuple[str, str, str, str]] = []
        self.areas: list[str] = []
        self.periods: list[Period] = []
        self._kinds: dict[tuple[str, str, str, str], int] = {}
        self._areas: dict[str, int] = {}
        self._periods: dict[Period, int] = {}

    def kind(self, count: Count) -> int:
        """The number of what *count* counts, wherever and whenever.

        Raises:
            OverflowError: There are more kinds than fit into a key.
        """
        return _number(self._kinds, self.kinds, _kind(count), self.KINDS)

    def numbered(self, counts: Iterable[Count]) -> set[int]:
        """The numbers of the kinds of *counts*, of those that have one."""
        return {self._kinds[kind] for kind in map(_kind, counts) if kind in self._kinds}

    def of_kind(self, number: int) -> Count:
        """A count of the kind with *number*, of no particular area and period."""
        measure, part, breakdown, breakdown_value = self.kinds[number]
        return Count(measure, part, "", _ANYWHEN, breakdown, breakdown_value)

    def area(self, code: str) -> int:
        """The number of an area.

        Raises:
            OverflowError: There are more areas than fit into a key.
        """
        return _number(self._areas, self.areas, code, self.AREAS)

    def period(self, period: Period) -> int:
        """The number of a period.

        Raises:
            OverflowError: There are more periods than fit into a key.
        """
        return _number(self._periods, self.periods, period, self.PERIODS)

    def count(self, key: int) -> Count:
        """The count of *key*."""
        count = self.of_kind(key >> self.KIND)
        area = self.areas[key >> self.AREA & (1 << self.AREAS) - 1]
        return count._replace(area=area, period=self.periods[key & (1 << self.AREA) - 1])

    def are_public(self, keys: Integers) -> Truths:
        """Which of *keys* count what everybody may know; who is left of another measure is none of it."""
        public = self.structure.public
        kinds = [
            number
            for number, (measure, part, *_) in enumerate(self.kinds)
            if measure in public and " " not in part.split(WITHOUT)[0]
        ]
        return np.isin(keys >> self.KIND, kinds)

    def rest(self, part: int, whole: int) -> int:
        """The kind of those who are in kind *whole* and not in kind *part*."""
        return self.kind(complement(self.of_kind(part), self.of_kind(whole)))


def _kind(count: Count) -> tuple[str, str, str, str]:
    return count.measure, count.part, count.breakdown, count.breakdown_value


def _number(numbers: dict[Thing, int], things: list[Thing], thing: Thing, bits: int) -> int:
    number = numbers.get(thing)
    if number is None:
        number = len(things)
        if number >= 1 << bits:
            # the next number would be read as another thing's
            raise OverflowError(f"{thing} is one more than the {number} that fit into {bits} bits of a key")
        numbers[thing] = number
        things.append(thing)
    return number


@dataclass(frozen=True, slots=True)
class Known:
    """What is published of counts: one entry for each time that a count stands in a cell.

    Args:
        keys: The counts.
        values: What they are.
        low: The least that a reader may believe.
        high: The most.
        is_shown: Whether the figure is there to read.
    """

    keys: Integers
    values: Integers
    low: Integers
    high: Integers
    is_shown: Truths


@dataclass(slots=True)
class Cells:
    """The counts of a release.

    Args:
        keys: Each count once, ascending.
        values: What they are.
        known: What is published of them.
        rests: Whole, part and rest of shares, by key.
    """

    keys: Integers
    values: Integers
    known: list[Known] = field(default_factory=list)
    rests: list[tuple[Integers, Integers, Integers]] = field(default_factory=list)

    def values_of(self, keys: Integers) -> Integers:
        """The values of *keys*; `NOBODY` of those that have no cell."""
        if not len(self.keys):
            return np.full(keys.shape, NOBODY, np.int64)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.values[at], NOBODY)


def counted(book: Book, release: Release) -> Cells:
    """The counts of *release*, with the complements of shares.

    Raises:
        ValueError: Two counts of one name differ.
    """
    shown = release.shown.drop("area_level").rename({side: f"shown_{side}" for side in SIDES})
    cells = release.exact.join(shown, on=KEY, how="left").filter(
        pl.col("indicator_code").is_in(list(book.structure.sides))
    )
    keys = keys_of(book, cells)
    values = {side: cells[side].fill_null(NOBODY).to_numpy() for side in SIDES}
    codes = cells["indicator_code"].to_numpy()
    found = Cells(np.zeros(0, np.int64), np.zeros(0, np.int64))
    origin: list[Any] = []
    for side in SIDES:
        is_there = (keys[side] != NOBODY) & cells[side].is_not_null().to_numpy()
        keys[side] = np.where(is_there, keys[side], NOBODY)
        found.known.append(_published(cells, side, keys[side], values[side], is_there))
        origin.append(codes[is_there])
    for part, whole in PAIRS:
        few, many = values[part], values[whole]
        # none is left where both are the same, or where more are counted in the part: it is no part then
        is_there = (keys[part] != NOBODY) & (keys[whole] != NOBODY) & (keys[part] != keys[whole]) & (few <= many)
        rest = rest_of(book, keys[part][is_there], keys[whole][is_there])
        found.rests.append((keys[whole][is_there], keys[part][is_there], rest))
        found.known.append(_complements(cells.filter(is_there), rest, (many - few)[is_there]))
        origin.append(codes[is_there])
    every = np.concatenate([known.keys for known in found.known])
    numbers = np.concatenate([known.values for known in found.known])
    found.keys, first = np.unique(every, return_index=True)
    found.values = numbers[first]
    _check(book, found, every, numbers, np.concatenate(origin))
    return found


def rest_of(book: Book, parts: Integers, wholes: Integers) -> Integers:
    """The keys of those who are in *wholes* and not in *parts*, which stand at the same area and period."""
    pairs, which = np.unique(parts >> Book.KIND << Book.KINDS | wholes >> Book.KIND, return_inverse=True)
    both = [(pair >> Book.KINDS, pair & (1 << Book.KINDS) - 1) for pair in pairs.tolist()]
    kinds = np.array([book.rest(part, whole) for part, whole in both], np.int64)
    return kinds[which] << Book.KIND | (parts & (1 << Book.KIND) - 1)


def _check(book: Book, found: Cells, keys: Integers, values: Integers, codes: Any) -> None:
    is_other = found.values_of(keys) != values
    if is_other.any():
        one = int(np.flatnonzero(is_other)[0])
        count = book.count(int(keys[one]))
        raise ValueError(
            f"{count} is {found.values_of(keys[one : one + 1])[0]} and, in {codes[one]}, {values[one]}: not the same"
            f" count, which seed_measure says in {rows_of(book.structure, count)}"
        )


def rows_of(structure: Structure, count: Count) -> str:
    """The rows of `seed_measure` that name what *count* counts."""
    return "; ".join(structure.rows.get(count.measure, ("no row",)))


def keys_of(book: Book, cells: pl.DataFrame) -> dict[str, Integers]:
    """The counts on each side of *cells*, by key; `NOBODY` where a side's count has no name."""
    parts = cells.select("indicator_code", "breakdown", "breakdown_value", number=pl.struct(
        "indicator_code", "breakdown", "breakdown_value").rank("dense") - 1)  # fmt: skip
    named = parts.unique(maintain_order=True).sort("number").rows()
    periods = _numbers(cells.select("period_type", "period_end"), lambda row: book.period(Period(*row)))
    areas = _numbers(cells.select("area_code"), lambda row: book.area(row[0]))
    keys = {}
    for name in SIDES:
        kinds, own_areas = np.full(len(named), NOBODY, np.int64), np.full(len(named), NOBODY, np.int64)
        for code, breakdown, breakdown_value, number in named:
            for side in (one for one in book.structure.sides.get(code, ()) if one.side == name):
                count = _count(book.structure, side, breakdown, breakdown_value)
                kinds[number] = book.kind(count)
                own_areas[number] = book.area(count.area) if count.area else NOBODY
        which = parts["number"].to_numpy()
        kind, own_area = kinds[which], own_areas[which]
        area = np.where(own_area == NOBODY, areas, own_area)
        keys[name] = np.where(kind == NOBODY, NOBODY, kind << Book.KIND | area << Book.AREA | periods)
    return keys


def _count(structure: Structure, side: Side, breakdown: str, breakdown_value: str) -> Count:
    cell = {"area_code": "", "period_type": _ANYWHEN.kind, "period_end": _ANYWHEN.end}
    return structure.count_of(side, {**cell, "breakdown": breakdown, "breakdown_value": breakdown_value})


def _numbers(cells: pl.DataFrame, number: Any) -> Integers:
    values = cells.unique()
    numbered = values.with_columns(pl.Series("number", [number(row) for row in values.iter_rows()], pl.Int64))
    return cells.join(numbered, on=cells.columns, how="left", maintain_order="left")["number"].to_numpy()


def _published(cells: pl.DataFrame, side: str, keys: Integers, values: Integers, is_there: Truths) -> Known:
    """What readers see of one side: itself, its ten, or that it is one of the small ones."""
    figures = cells[f"shown_{side}"]
    is_exact, is_hidden = (cells[name].fill_null(value=False).to_numpy() for name in ("is_exact", "is_suppressed"))
    is_shown = figures.is_not_null().to_numpy() & ~is_hidden
    figure = figures.fill_null(0).to_numpy()
    lowest = figure // TEN * TEN
    is_small = is_hidden & (values < FEWEST)
    low = np.select([is_shown & is_exact, is_shown], [figure, lowest], 0)
    high = np.select([is_shown & is_exact, is_shown, is_small], [figure, lowest + TEN - 1, FEWEST - 1], FAR)
    return Known(*(column[is_there] for column in (keys, values, low, high, is_shown)))


def _complements(cells: pl.DataFrame, keys: Integers, values: Integers) -> Known:
    """Those of the denominator who are not in the numerator are a count too.

    The complement of a share that is shown is shown with its sides, exactly or by tens as they are.
    """
    is_served = cells["is_suppressed"].is_not_null().to_numpy()
    is_shown = is_served & ~cells["is_suppressed"].fill_null(value=False).to_numpy()
    is_small = is_served & ~is_shown & (values < FEWEST)
    return Known(keys, values, np.where(is_shown, FEWEST, 0), np.where(is_small, FEWEST - 1, FAR), is_shown)


def merged(parts: Iterable[Known]) -> Known:
    """All of *parts* after one another."""
    every = list(parts)
    names = ("keys", "values", "low", "high", "is_shown")
    return Known(*(np.concatenate([getattr(one, name) for one in every]) for name in names))
