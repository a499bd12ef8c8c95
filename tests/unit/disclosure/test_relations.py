"""What three seeds say of counts agrees: what a count is within, what makes one up, what is checked between two.

Containment follows from `seed_subset`, from `seed_composition` (a part is within its whole, and a whole within another
whose parts it has) and from names (every part of a measure is within all of it). An identity of `seed_identity` is a
relation that must hold in every build: between counts it must follow from the others, or one of the three is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.unit.disclosure.test_measures import seed

Count = tuple[str, str]
"""A measure and which of it: the same name is the same count."""
Rows = list[dict[str, str]]


def wholes(subsets: Rows, compositions: Rows) -> dict[Count, set[Count]]:
    """What each count is within, by one step."""
    within: dict[Count, set[Count]] = defaultdict(set)
    parts: dict[Count, set[str]] = defaultdict(set)
    for row in subsets:
        if row["whole_measure"] != "none":
            within[row["measure"], row["part"]].add((row["whole_measure"], row["whole_part"]))
    for row in compositions:
        within[row["measure"], row["part"]].add((row["measure"], row["whole"]))
        parts[row["measure"], row["whole"]].add(row["part"])
    for small, some in parts.items():
        within[small] |= {large for large, more in parts.items() if large[0] == small[0] and some < more}
    for measure, part in list(within):
        if part != "all":
            within[measure, part].add((measure, "all"))
    return within


def is_within(part: Count, whole: Count, within: dict[Count, set[Count]]) -> bool:
    """Whether the one count is within the other, or the same, over however many steps."""
    seen, open_ = set(), [part]
    while open_:
        count = open_.pop()
        if count == whole or (count[0] == whole[0] and whole[1] == "all"):
            return True
        if count not in seen:
            seen.add(count)
            open_ += within.get(count, ())
    return False


def in_order(within: dict[Count, set[Count]]) -> list[Count]:
    """Every count behind all that it is within.

    Raises:
        CycleError: Something would be within itself.
    """
    return list(TopologicalSorter(within).static_order())


def counted() -> dict[tuple[str, str, str, str], Count]:
    """What each side of each indicator counts, by indicator, breakdown, its value and side."""
    return {
        (row["indicator_code"], row["breakdown"], row["breakdown_value"], row["side"]): (row["measure"], row["part"])
        for row in seed("seed_measure")
    }


def side_of(identity: dict[str, str], prefix: str, sides: dict[tuple[str, str, str, str], Count]) -> Count | None:
    """What one side of an identity counts; None of an amount, of what needs no protection, and of published figures."""
    code = identity["indicator_code" if not prefix else f"{prefix}indicator_code"]
    breakdown, value = identity[f"{prefix}breakdown"], identity[f"{prefix}breakdown_value"]
    part = identity[f"{prefix}part"]
    plain = sides.get((code, "any", "any", part)) if breakdown == "total" else None
    return sides.get((code, breakdown, value, part), plain)


def contradictions(identities: Rows, within: dict[Count, set[Count]]) -> list[str]:
    """Identities between two counts that do not follow."""
    sides = counted()
    found = []
    for row in identities:
        one, other = (side_of(row, prefix, sides) for prefix in ("", "other_"))
        if one is None or other is None:
            continue
        follows = one == other if row["relation"] == "equals" else one != other and is_within(one, other, within)
        if not follows:
            found.append(f"{row['identity_code']}: {one} {row['relation']} {other}")
    return found


def test_nothing_is_within_itself() -> None:
    order = in_order(wholes(seed("seed_subset"), seed("seed_composition")))
    assert len(order) > 50


def test_every_identity_between_counts_follows_from_what_they_are_within() -> None:
    identities = seed("seed_identity")
    within = wholes(seed("seed_subset"), seed("seed_composition"))
    assert contradictions(identities, within) == []
    sides = counted()
    compared = [row for row in identities if side_of(row, "", sides) and side_of(row, "other_", sides)]
    assert len(compared) > 5


def test_parts_that_make_up_a_count_have_nobody_in_common() -> None:
    """Of two parts neither is within the other: somebody would be counted twice."""
    compositions = seed("seed_composition")
    within = wholes(seed("seed_subset"), compositions)
    parts: dict[Count, list[Count]] = defaultdict(list)
    for row in compositions:
        parts[row["measure"], row["whole"]].append((row["measure"], row["part"]))
    assert all(len(some) == len(set(some)) > 1 for some in parts.values())
    nested = [
        (whole, one, other)
        for whole, some in parts.items()
        for one in some
        for other in some
        if one != other and is_within(one, other, within)
    ]
    assert nested == []


def test_what_a_composition_names_is_counted_somewhere() -> None:
    named = set(counted().values())
    spoken = {(row["measure"], name) for row in seed("seed_composition") for name in (row["whole"], row["part"])}
    lone = {(measure, name) for measure, whole in spoken for name in whole.split(" without ")}
    # a whole of its own may only be made of parts, as the certificates that others than enterprises issued
    made = {(row["measure"], row["whole"]) for row in seed("seed_composition")}
    assert lone - named - made == set()


def test_a_cycle_is_refused_and_a_contradiction_found() -> None:
    employees = {"measure": "enterprise_employees"}
    within_its_part = employees | {"part": "all", "whole_measure": "enterprise_employees", "whole_part": "covered"}
    made_of_it = employees | {"whole": "all", "part": "covered"}
    with pytest.raises(CycleError):
        in_order(wholes([*seed("seed_subset"), within_its_part], [*seed("seed_composition"), made_of_it]))
    (turned,) = (row for row in seed("seed_identity") if row["identity_code"] == "levelled-within-certified")
    turned = turned | {"indicator_code": "M21-1", "part": "numerator", "other_indicator_code": "M21-2",
                       "other_part": "denominator"}  # fmt: skip
    found = contradictions([turned], wholes(seed("seed_subset"), seed("seed_composition")))
    assert found == [
        "levelled-within-certified: ('employed_persons', 'certified') at_most ('employed_persons', 'levelled')"
    ]
