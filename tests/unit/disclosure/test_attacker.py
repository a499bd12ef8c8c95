"""The attacker against tables that can be undone: it must find what is hidden in them, and no more than follows."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.disclosure.attacker import FAR, System, attack


def test_a_hidden_county_is_the_city_less_the_others() -> None:
    system = System()
    system.adds_up("city", ["a", "b", "c"])
    for name, count in (("city", 57), ("a", 30), ("b", 23)):
        system.bound(name, count, count)
    system.bound("c", 0, 9)
    assert attack(system).interval("c") == (4, 4)


def test_a_hidden_month_is_the_year_less_the_other_quarters_and_months() -> None:
    system = System()
    quarters = {f"Q{number}": [f"{month}" for month in range(3 * number - 2, 3 * number + 1)] for number in range(1, 5)}
    system.adds_up("year", quarters)
    for quarter, months in quarters.items():
        system.adds_up(quarter, months)
    for name in ("Q1", "Q3", "Q4", "4", "6"):
        system.bound(name, 20, 20)
    system.bound("year", 107, 107)
    # neither the second quarter nor its month is published
    assert attack(system).interval("5") == (7, 7)


def test_a_hidden_part_is_the_total_less_the_others() -> None:
    system = System()
    system.adds_up("total", ["women", "men"])
    system.bound("total", 61, 61)
    system.bound("men", 58, 58)
    assert attack(system).interval("women") == (3, 3)


def test_a_count_that_another_indicator_shows_helps_to_find_its_neighbour() -> None:
    system = System()
    # the numerator of one indicator is the denominator of another
    system.adds_up("at work", ["certified", "not certified"])
    system.adds_up("certified", ["high", "not high"])
    system.bound("at work", 200, 200)
    system.bound("not certified", 150, 150)
    system.bound("not high", 46, 46)
    assert attack(system).interval("high") == (4, 4)


def test_a_share_with_many_decimals_gives_back_a_small_count() -> None:
    system = System()
    system.bound("all", 483, 483)
    system.bound("employed", 0, FAR)
    system.share("employed", "all", Fraction("0.01449"), Fraction("0.01450"))
    assert attack(system).interval("employed") == (7, 7)


def test_a_share_gives_back_both_counts_when_neither_is_published() -> None:
    system = System()
    system.bound("all", 10, 99)
    system.share("employed", "all", Fraction("0.36985"), Fraction("0.36987"))
    assert attack(system).interval("employed") == (27, 27)
    assert attack(system).interval("all") == (73, 73)


def test_equations_settle_counts_that_no_bound_reaches() -> None:
    system = System()
    system.adds_up("a+b", ["a", "b"])
    system.adds_up("b+c", ["b", "c"])
    system.adds_up("a+c", ["a", "c"])
    for name, count in (("a+b", 1_000), ("b+c", 2_000), ("a+c", 2_400)):
        system.bound(name, count, count)
    found = attack(system)
    assert found.interval("a") != (700, 700), "bounds alone do not settle it"
    assert found.is_exact("a")
    assert attack(system, ["a"]).interval("a") == (700, 700)


def test_what_is_settled_settles_what_was_laid_aside() -> None:
    system = System()
    for whole, parts, count in (("a+b", "ab", 1_000), ("b+c", "bc", 2_000), ("a+c", "ac", 2_400)):
        system.adds_up(whole, parts)
        system.bound(whole, count, count)
    system.adds_up("a", ["known", "d"])
    system.bound("known", 50, 50)
    assert attack(system).is_exact("d")


def test_linear_programming_sees_what_bounds_do_not() -> None:
    system = System()
    # rows and columns of a table of two by three with intervals at its margins
    for row, columns in (("r1", ("11", "12", "13")), ("r2", ("21", "22", "23"))):
        system.adds_up(row, columns)
    for column in "123":
        system.adds_up(f"c{column}", [f"1{column}", f"2{column}"])
    for name, lowest, highest in (("r1", 0, 4), ("r2", 0, 90), ("c1", 30, 32), ("c2", 30, 32), ("c3", 30, 32)):
        system.bound(name, lowest, highest)
    # at least 90 stand in the columns, and at most 4 of them in the first row
    assert attack(system, ["r2"], programs=0).interval("r2") == (78, 90)
    assert attack(system, ["r2"], programs=1).interval("r2") == (86, 90)


def test_what_nothing_is_published_of_stays_open() -> None:
    system = System()
    system.adds_up("city", ["a", "b"])
    system.bound("city", 0, FAR)
    assert attack(system, ["a", "b"]).interval("a") == (0, FAR)


def test_figures_that_contradict_each_other_are_an_error() -> None:
    system = System()
    system.adds_up("city", ["a", "b"])
    for name, count in (("city", 5), ("a", 4), ("b", 4)):
        system.bound(name, count, count)
    with pytest.raises(ValueError, match="no counts fit"):
        attack(system)


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.sets(st.integers(0, 5), max_size=4))
def test_no_interval_misses_the_truth_nor_goes_beyond_what_is_possible(counts: list[int], hidden: set[int]) -> None:
    """Against trying every table of two by three that has the published margins."""
    names = ["11", "12", "13", "21", "22", "23"]
    shown = set(range(6)) - hidden
    margins = {"r1": (0, 1, 2), "r2": (3, 4, 5), "c1": (0, 3), "c2": (1, 4), "c3": (2, 5)}
    system = System()
    for margin, cells in margins.items():
        system.adds_up(margin, [names[cell] for cell in cells])
        system.bound(margin, *[sum(counts[cell] for cell in cells)] * 2)
    for cell, name in enumerate(names):
        system.bound(name, counts[cell] if cell in shown else 0, counts[cell] if cell in shown else 9)
    found = attack(system, names)
    # two cells settle a table of two by three
    sums = {margin: sum(counts[cell] for cell in cells) for margin, cells in margins.items()}
    possible = [
        table
        for first, second in itertools.product(range(7), repeat=2)
        if (table := _table(first, second, sums)) and all(table[cell] == counts[cell] for cell in shown)
    ]
    for cell, name in enumerate(names):
        values = [table[cell] for table in possible]
        assert found.interval(name) == (min(values), max(values))


def _table(first: int, second: int, sums: dict[str, int]) -> tuple[int, ...] | None:
    """The table with these two cells and margins; None where a cell would be negative."""
    upper = (first, second, sums["r1"] - first - second)
    table = (*upper, *(sums[f"c{column}"] - upper[column - 1] for column in (1, 2, 3)))
    return table if min(table) >= 0 else None
