"""Which counts follow exactly from equations alone, in exact arithmetic."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.disclosure.attacker.matrix import Integers
from tests.disclosure.attacker.system import Equation

# Whole numbers modulo a prime of 61 bits: no rounding, and a wrong zero is less likely than a failing machine.
PRIME = 2**61 - 1
Row = dict[int, int]


def solved(equations: Sequence[Equation], low: Integers, high: Integers) -> set[int]:
    """The counts that are not known yet and that the equations settle, by number."""
    rows = [row for equation in equations if (row := _unknown_part(equation, low, high))]
    found = _solved_in(_core(rows))
    # what is settled may leave a single unknown in an equation that was laid aside
    while True:
        more = {left[0] for row in rows if len(left := [column for column in row if column not in found]) == 1}
        if not more:
            return found
        found |= more


def _unknown_part(equation: Equation, low: Integers, high: Integers) -> Row:
    row: Row = defaultdict(int)
    row[equation.whole] += 1
    for part in equation.parts:
        row[part] -= 1
    return {column: sign for column, sign in row.items() if sign and low[column] < high[column]}


def _core(rows: Sequence[Row]) -> list[Row]:
    """The equations that can settle something: one with an unknown that no other has can always be met by it."""
    uses = Counter(column for row in rows for column in row)
    equations_of: dict[int, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        for column in row:
            equations_of[column].add(number)
    alive = set(range(len(rows)))
    waiting = [column for column, count in uses.items() if count == 1]
    while waiting:
        for number in equations_of[waiting.pop()] & alive:
            if len(rows[number]) == 1:
                continue
            alive.discard(number)
            for column in rows[number]:
                uses[column] -= 1
                if uses[column] == 1:
                    waiting.append(column)
    return [rows[number] for number in sorted(alive)]


def _solved_in(rows: Sequence[Row]) -> set[int]:
    """Gauss and Jordan: a count is settled where a fully reduced equation speaks of it alone."""
    reduced: dict[int, Row] = {}
    holders: dict[int, set[int]] = defaultdict(set)
    for row in sorted(rows, key=len):
        rest = dict(row)
        for column in [column for column in rest if column in reduced]:
            _subtract(rest, reduced[column], rest[column])
        if not rest:
            continue
        pivot = min(rest, key=lambda column: (len(holders[column]), column))
        inverse = pow(rest[pivot], -1, PRIME)
        rest = {column: sign * inverse % PRIME for column, sign in rest.items()}
        for other in list(holders[pivot]):
            target = reduced[other]
            before = set(target)
            _subtract(target, rest, target[pivot])
            for column in before ^ set(target):
                (holders[column].add if column in target else holders[column].discard)(other)
        reduced[pivot] = rest
        for column in rest:
            holders[column].add(pivot)
    return {pivot for pivot, row in reduced.items() if len(row) == 1}


def _subtract(row: Row, other: Row, times: int) -> None:
    for column, sign in other.items():
        left = (row.get(column, 0) - times * sign) % PRIME
        if left:
            row[column] = left
        else:
            row.pop(column, None)
