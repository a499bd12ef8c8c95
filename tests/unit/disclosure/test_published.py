"""The attack on releases made by hand: what is shown as it should not be is found, and nothing else."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import polars as pl
import pytest

from tests.disclosure.published import Findings, examine, undeclared_equals
from tests.disclosure.release import Release
from tests.disclosure.structure import Partition, Side, Structure

ALWAYS = (dt.date(1900, 1, 1), dt.date(9999, 12, 31))
MONTHS = tuple(dt.date(2025, month, day) for month, day in ((1, 31), (2, 28), (3, 31)))
QUARTER = dt.date(2025, 3, 31)
STRUCTURE = Structure(
    sides={
        "SHARE": (
            Side("numerator", "trainings", "priority"),
            Side("denominator", "trainings", "all"),
        ),
        "COUNT": (Side("numerator", "trainings", "all"),),
        "OTHER": (Side("numerator", "courses", "all"),),
    },
    names={("trainings", "all", "group", "none"): ("trainings", "all without priority")},
    partitions={
        ("area", "330000"): (Partition(("330100", "330200"), *ALWAYS),),
        ("period", f"quarter {QUARTER}"): (Partition(tuple(f"month {end}" for end in MONTHS), *ALWAYS),),
    },
    breakdowns=(),
    list_areas={},
    adds_up={"trainings": frozenset({"area", "period", "part"})},
    rows={"trainings": ("SHARE any any denominator: trainings, all", "COUNT any any numerator: trainings, all")},
)
PART = {"breakdown": "group", "breakdown_value": "01"}


Cell = dict[str, Any]


def cell(code: str, numerator: int | None, *, area: str = "330100", shown: str | None = None, **more: Any) -> Cell:
    """A cell of the first quarter; `shown` makes it one that readers see: exact, tens or hidden."""
    cell = {"indicator_code": code, "area_code": area, "period_type": "quarter", "period_end": QUARTER}
    cell |= {
        "area_level": "province" if area == "330000" else "city",
        "breakdown": "total",
        "breakdown_value": "total",
        "numerator": numerator,
        "denominator": None,
    }
    cell |= {"comparison_numerator": None, "comparison_denominator": None, **more}
    if shown is not None:
        cell |= {"is_exact": shown == "exact", "is_suppressed": shown == "hidden"}
        for side in ("numerator", "denominator"):
            if shown == "tens" and cell[side] is not None:
                cell[side] = cell[side] // 10 * 10 + 5
            if shown == "hidden":
                cell[side] = None
    return cell


def release(*cells: tuple[str, int, str, dict[str, Any]]) -> Release:
    """A release of cells: indicator, numerator, how it is shown (`no` for not at all), what else it has."""
    exact = [cell(code, number, **more) for code, number, _, more in cells]
    shown = [cell(code, number, shown=how, **more) for code, number, how, more in cells if how != "no"]
    return Release.of(exact, shown)


LEVELS = Structure(
    sides={
        "LEVELS": (Side("numerator", "employed", "certified"), Side("denominator", "employed", "all")),
        "HIGH": (Side("numerator", "employed", "high"), Side("denominator", "employed", "certified")),
        "GAINED": (Side("numerator", "completers", "certified"), Side("denominator", "completers", "all")),
    },
    names={
        **{("employed", "certified", "level", level): ("employed", f"level_{level}") for level in ("low", "high")},
        ("employed", "certified", "level", "none"): ("employed", "all without certified"),
        **{("employed", "all", "level", level): ("employed", "all") for level in ("low", "high", "none")},
        **{("completers", "all", "gained", level): ("completers", "all") for level in ("low", "high")},
    },
    partitions={
        ("count", "employed all"): (
            Partition(("employed level_low", "employed level_high", "employed all without certified"), *ALWAYS),
        ),
        ("count", "employed high"): (Partition(("employed level_high",), *ALWAYS),),
        ("numerator", "gained"): (Partition(("low", "high"), *ALWAYS),),
    },
    breakdowns=(),
    list_areas={},
    numerator_breakdowns=("gained",),
    numerators=frozenset({("employed", "certified"), ("employed", "high"), ("completers", "certified")}),
)


def areas(province: str, city: str, small: str) -> Findings:
    return examine(
        STRUCTURE,
        [
            release(
                ("COUNT", 57, province, {"area": "330000"}),
                ("COUNT", 53, city, {"area": "330100"}),
                ("COUNT", 4, small, {"area": "330200"}),
            )
        ],
    )


@pytest.mark.parametrize("small", ["hidden", "no"])
def test_a_small_city_follows_from_exact_figures(small: str) -> None:
    found = areas("exact", "exact", small)
    assert [(state.of.area, value) for state, value in found.exact.items()] == [("330200", 4)]
    assert [(state.of.area, interval) for state, interval in found.narrow.items()] == [("330200", (4, 4))]


def test_it_does_not_follow_from_tens() -> None:
    found = areas("tens", "tens", "hidden")
    assert (found.exact, found.narrow) == ({}, {})
    assert (found.hidden, found.small) == (1, 1)


def test_three_hidden_months_stay_open_in_tens() -> None:
    months = [
        ("COUNT", number, "hidden", {"period_type": "month", "period_end": end})
        for number, end in zip((8, 9, 8), MONTHS, strict=True)
    ]
    found = examine(STRUCTURE, [release(("COUNT", 25, "tens", {}), *months)])
    assert (found.exact, found.narrow) == ({}, {})
    told = examine(STRUCTURE, [release(("COUNT", 25, "exact", {}), *months)])
    assert len(told.narrow) == 3


def test_a_count_of_another_indicator_is_used() -> None:
    # 4 of 40 in the numerator: hidden; the other indicator shows the 36 who are not
    found = examine(
        STRUCTURE,
        [
            release(
                ("SHARE", 4, "hidden", {"denominator": 40}),
                ("COUNT", 36, "exact", {"breakdown": "group", "breakdown_value": "none"}),
                ("COUNT", 40, "exact", {}),
            )
        ],
    )
    assert {(state.of.part, value) for state, value in found.exact.items()} == {("priority", 4)}


def part_of(breakdown: str, value: str, denominator: int) -> dict[str, Any]:
    return {"breakdown": breakdown, "breakdown_value": value, "denominator": denominator}


def test_of_shares_that_are_together_a_hundred_one_follows_from_the_others() -> None:
    found = examine(
        LEVELS,
        [
            release(
                ("LEVELS", 40, "hidden", {"denominator": 200}),
                ("LEVELS", 37, "exact", part_of("level", "low", 200)),
                ("LEVELS", 3, "hidden", part_of("level", "high", 200)),
                ("LEVELS", 160, "exact", part_of("level", "none", 200)),
            )
        ],
    )
    assert {(state.of.part, value) for state, value in found.exact.items()} >= {("level_high", 3)}


def test_a_count_follows_from_the_parts_of_another_indicator() -> None:
    found = examine(
        LEVELS,
        [
            release(
                ("HIGH", 3, "hidden", {"denominator": 40}),
                ("LEVELS", 3, "exact", part_of("level", "high", 200)),
            )
        ],
    )
    assert {(state.of.part, value) for state, value in found.exact.items()} == {("high", 3)}


def test_of_parts_whose_numerators_add_up_one_follows_from_the_total() -> None:
    found = examine(
        LEVELS,
        [
            release(
                ("GAINED", 23, "exact", {"denominator": 100}),
                ("GAINED", 20, "exact", part_of("gained", "low", 100)),
                ("GAINED", 3, "hidden", part_of("gained", "high", 100)),
            )
        ],
    )
    assert {(state.of.part, value) for state, value in found.exact.items()} >= {("certified", 3)}


def test_a_part_that_its_indicator_does_not_have_holds_nobody() -> None:
    found = examine(
        LEVELS,
        [
            release(
                ("GAINED", 23, "exact", {"denominator": 100}),
                ("GAINED", 23, "hidden", part_of("gained", "low", 100)),
            )
        ],
    )
    assert {(state.of.breakdown_value, value) for state, value in found.exact.items()} >= {("low", 23)}


def test_a_part_that_is_missing_where_another_area_has_it_is_a_zero() -> None:
    cells = [
        ("COUNT", 57, "tens", {}),
        ("COUNT", 4, "hidden", PART),
        ("COUNT", 60, "tens", {"area": "330200"}),
        ("COUNT", 0, "no", {"area": "330200", **PART}),
    ]
    found = examine(STRUCTURE, [release(*cells)])
    assert {(state.of.area, value) for state, value in found.exact.items()} == {("330200", 0)}
    # a part that is not zero and is left out all the same tells nothing
    assert examine(STRUCTURE, [release(*cells[:3], ("COUNT", 3, "no", {"area": "330200", **PART}))]).exact == {}


def test_a_total_that_is_missing_where_another_area_has_it_is_a_zero() -> None:
    cells = [("COUNT", 57, "tens", {}), ("OTHER", 57, "tens", {}), ("OTHER", 60, "tens", {"area": "330200"})]
    found = examine(STRUCTURE, [release(*cells, ("COUNT", 0, "no", {"area": "330200"}))])
    assert {(state.of.measure, value) for state, value in found.exact.items()} == {("trainings", 0)}


WITHIN = dataclasses.replace(STRUCTURE, wholes={("courses", "all"): (("trainings", "all", frozenset()),)})


def within(whole: int, part: int, how: str, of_part: str) -> Release:
    """A city with the counts of a set and of one within it."""
    return release(("COUNT", whole, how, {}), ("OTHER", part, of_part, {}))


def narrow_parts(structure: Structure, cells: Release) -> set[tuple[str, tuple[int, int]]]:
    return {(state.of.part, interval) for state, interval in examine(structure, [cells]).narrow.items()}


def test_who_is_left_of_a_set_that_another_indicator_counts_is_a_count_too() -> None:
    rest = "trainings all without all"
    assert narrow_parts(WITHIN, within(57, 54, "exact", "exact")) == {(rest, (3, 3))}
    # of at most twelve there are at least ten in the smaller set
    assert narrow_parts(WITHIN, within(12, 11, "exact", "tens")) == {(rest, (0, 2))}
    assert narrow_parts(WITHIN, within(57, 54, "tens", "tens")) == set()
    assert narrow_parts(STRUCTURE, within(57, 54, "exact", "exact")) == set()


def test_he_is_told_where_so_few_are_left_that_both_totals_of_the_province_stand_in_tens() -> None:
    def found(how: str) -> set[tuple[str, tuple[int, int]]]:
        # the cities say that the province has 67
        cities = [("COUNT", 57, "exact", {"area": "330100"}), ("COUNT", 10, "exact", {"area": "330200"})]
        province = [("COUNT", 67, how, {"area": "330000"}), ("OTHER", 58, "tens", {"area": "330000"})]
        return narrow_parts(WITHIN, release(*cities, *province))

    assert found("tens") == {("trainings all without all", (8, 9))}
    assert found("exact") == set()
    assert narrow_parts(WITHIN, within(67, 58, "exact", "tens")) == set()


def test_a_set_that_is_larger_than_what_it_is_within_is_an_error() -> None:
    with pytest.raises(ValueError, match="54, more than the 53 of trainings, all that it is within"):
        examine(WITHIN, [within(53, 54, "tens", "tens")])


def test_a_set_may_be_within_another_in_some_periods_only() -> None:
    of_years = dataclasses.replace(STRUCTURE, wholes={("courses", "all"): (("trainings", "all", frozenset({"year"})),)})
    assert narrow_parts(of_years, within(53, 54, "exact", "exact")) == set()


def test_of_what_is_public_nothing_is_secret_and_everything_is_used() -> None:
    cells = release(("COUNT", 57, "exact", {"area": "330000"}), ("COUNT", 53, "exact", {"area": "330100"}),
                    ("COUNT", 4, "hidden", {"area": "330200"}))  # fmt: skip
    assert examine(STRUCTURE, [cells]).exact
    found = examine(dataclasses.replace(STRUCTURE, public=frozenset({"trainings"})), [cells])
    assert (found.exact, found.narrow) == ({}, {})
    known = dataclasses.replace(WITHIN, public=frozenset({"courses"}))
    rest = "trainings all without all"
    assert narrow_parts(known, within(12, 8, "exact", "hidden")) == {(rest, (4, 4))}


def test_that_a_hidden_total_has_no_parts_tells_nothing() -> None:
    cells = [
        ("COUNT", 57, "tens", {}),
        ("COUNT", 4, "hidden", PART),
        ("COUNT", 0, "hidden", {"area": "330200"}),
        ("COUNT", 0, "no", {"area": "330200", **PART}),
    ]
    found = examine(STRUCTURE, [release(*cells)])
    assert (found.exact, found.narrow) == ({}, {})


def test_two_counts_of_one_name_that_differ_are_an_error_with_their_rows() -> None:
    false = release(("SHARE", 4, "hidden", {"denominator": 40}), ("COUNT", 41, "tens", {}))
    with pytest.raises(ValueError, match=r"not the same count.*SHARE any any denominator: trainings, all; COUNT any"):
        examine(STRUCTURE, [false])


def test_a_sum_that_does_not_hold_is_an_error_with_its_rows() -> None:
    def province(number: int, code: str) -> Release:
        return release(
            (code, number, "tens", {"area": "330000"}),
            (code, 53, "tens", {"area": "330100"}),
            (code, 4, "hidden", {"area": "330200"}),
        )

    examine(STRUCTURE, [province(57, "COUNT")])
    with pytest.raises(ValueError, match=r"makes it up by area is 57: wrong.*COUNT any any numerator: trainings, all"):
        examine(STRUCTURE, [province(58, "COUNT")])
    # whose method does not add up is not held to it
    examine(STRUCTURE, [province(58, "OTHER")])


def test_a_count_that_is_not_made_by_month_is_no_sum_of_months() -> None:
    """Its measure has months in another indicator: that tells nothing of it."""
    until_march = ("period", f"ytd {QUARTER}")
    parts = (f"ytd {MONTHS[1]}", f"month {MONTHS[2]}")
    structure = dataclasses.replace(STRUCTURE, partitions={until_march: (Partition(parts, *ALWAYS),)})
    cells = release(
        ("SHARE", 1, "hidden", {"denominator": 40, "period_type": "ytd"}),
        ("SHARE", 0, "hidden", {"denominator": 30, "period_type": "ytd", "period_end": MONTHS[1]}),
        ("COUNT", 10, "tens", {"period_type": "month", "period_end": MONTHS[2]}),
    )
    assert examine(structure, [cells]).equations == 3


def test_two_releases_are_attacked_together() -> None:
    # 330100 did not change; what each release left open, the other closes
    first = release(("COUNT", 57, "exact", {"area": "330000"}), ("COUNT", 53, "hidden", {"area": "330100"}),
                    ("COUNT", 4, "hidden", {"area": "330200"}))  # fmt: skip
    second = release(("COUNT", 58, "exact", {"area": "330000"}), ("COUNT", 53, "exact", {"area": "330100"}),
                     ("COUNT", 5, "hidden", {"area": "330200"}))  # fmt: skip
    found = examine(STRUCTURE, [first, second])
    assert sorted(found.exact.values()) == [4, 5]


def test_a_figure_that_misleads_the_attacker_is_an_error() -> None:
    wrong = release(("COUNT", 57, "tens", {}))
    wrong = Release(wrong.exact, wrong.shown.with_columns(numerator=pl.lit(75, pl.Int64)))
    with pytest.raises(ValueError, match="the attacker believes it between 70 and 79"):
        examine(STRUCTURE, [wrong])


def test_counts_that_are_equal_everywhere_are_named_once_or_found() -> None:
    def cells(other: int) -> Release:
        spread = [(f"33{number:02}00", 10 + number) for number in range(1, 41)]
        province = ("330000", 1220)
        return release(
            *(("COUNT", value, "tens", {"area": area}) for area, value in [*spread, province]),
            *(("OTHER", value, "tens", {"area": area}) for area, value in [*spread[:-1], ("339999", other), province]),
        )

    assert {frozenset(name[:2] for name in pair) for pair in undeclared_equals(STRUCTURE, cells(7))} == {
        frozenset({("trainings", "all"), ("courses", "all")})
    }
    same = cells(7)
    is_one = (pl.col("indicator_code") == "OTHER") & (pl.col("area_code") == "330500")
    exact = same.exact.with_columns(pl.when(is_one).then(pl.col("numerator") + 1).otherwise("numerator"))
    different = Release(exact, same.shown)
    assert undeclared_equals(STRUCTURE, different) == set()


def test_of_a_count_that_two_make_up_one_is_what_the_other_leaves() -> None:
    halves = dataclasses.replace(
        STRUCTURE,
        sides={**STRUCTURE.sides, "REST": (Side("numerator", "trainings", "other"),)},
        partitions={("count", "trainings all"): (Partition(("trainings other", "trainings priority"), *ALWAYS),)},
    )
    areas = ["330000", *(f"33{number:02}00" for number in range(40))]
    cells = release(
        *(("SHARE", 20, "tens", {"area": area, "denominator": 50}) for area in areas),
        *(("REST", 30, "tens", {"area": area}) for area in areas),
    )
    assert undeclared_equals(halves, cells) == set()
    assert undeclared_equals(dataclasses.replace(halves, partitions={}), cells) != set()


@pytest.mark.parametrize(("code", "sides"), [("SAME", ("all", "all")), ("OTHERS", ("priority", "all"))])
def test_a_whole_and_what_is_no_part_leave_nobody_to_be_found(code: str, sides: tuple[str, str]) -> None:
    """All of all leave nobody, which is no secret; of fewer than are counted there is no rest."""
    structure = dataclasses.replace(
        STRUCTURE,
        sides={code: (Side("numerator", "trainings", sides[0]), Side("denominator", "trainings", sides[1]))},
    )
    denominator = 30 if code == "SAME" else 20
    found = examine(structure, [release((code, 30, "hidden", {"denominator": denominator}))])
    assert found.exact == {}
    assert found.counts == len(set(sides))
