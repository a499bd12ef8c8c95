"""The numbers that stand for counts: each for one count only, or there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from tests.disclosure.counts import Book
from tests.disclosure.structure import Count, Partition, Period, Structure
from tests.disclosure.sums import made, states
from tests.unit.disclosure.test_published import ALWAYS, STRUCTURE, release

DAY = dt.date(2025, 1, 1)


def a_kind(number: int) -> Count:
    return Count("trainings", f"part {number}", "", Period("day", DAY), "total", "total")


def a_period(number: int) -> Period:
    return Period("day", DAY + dt.timedelta(number))


def empty_book() -> Book:
    return Book(Structure({}, {}, {}, (), {}))


@pytest.mark.parametrize(
    ("bits", "number"),
    [
        (Book.KINDS, lambda book, number: book.kind(a_kind(number))),
        (Book.AREAS, lambda book, number: book.area(f"area {number}")),
        (Book.PERIODS, lambda book, number: book.period(a_period(number))),
    ],
    ids=["kind", "area", "period"],
)
def test_what_does_not_fit_into_a_key_has_no_number(bits: int, number: Callable[[Book, int], int]) -> None:
    book = empty_book()
    assert [number(book, one) for one in range(1 << bits)] == list(range(1 << bits))
    with pytest.raises(OverflowError, match=f"fit into {bits} bits"):
        number(book, 1 << bits)
    # those that have one keep it
    assert number(book, 1) == 1


def test_the_largest_key_with_the_largest_value_is_read_as_it_was_written() -> None:
    book = empty_book()
    kind, area, period = ((1 << bits) - 1 for bits in (Book.KINDS, Book.AREAS, Book.PERIODS))
    for number in range(kind + 1):
        book.kind(a_kind(number))
    for number in range(area + 1):
        book.area(f"area {number}")
    for number in range(period + 1):
        book.period(a_period(number))
    key, value = kind << Book.KIND | area << Book.AREA | period, (1 << Book.VALUES) - 1
    assert book.count(key) == a_kind(kind)._replace(area=f"area {area}", period=a_period(period))
    state = states(np.array([key], np.int64), np.array([value], np.int64))[0]
    assert (state >> Book.VALUES, state & (1 << Book.VALUES) - 1) == (key, value)


@pytest.mark.parametrize("value", [-1, 1 << Book.VALUES])
def test_a_value_that_does_not_fit_beside_its_key_is_an_error(value: int) -> None:
    with pytest.raises(OverflowError, match=f"{value} does not fit"):
        states(np.array([1], np.int64), np.array([value], np.int64))


def test_parts_that_nobody_counts_have_no_numbers() -> None:
    partition = Partition(tuple(f"{number:02}" for number in range(50)), *ALWAYS)
    structure = Structure(
        STRUCTURE.sides, {}, {("part", "group"): (partition,), ("part", "sex"): (partition,)}, ("group", "sex"), {}
    )
    book = Book(structure)
    made(
        book, [release(("COUNT", 57, "tens", {}), ("COUNT", 57, "tens", {"breakdown": "sex", "breakdown_value": "01"}))]
    )
    assert {breakdown for *_, breakdown, _ in book.kinds} == {"total", "sex"}
