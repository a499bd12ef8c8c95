"""All that the attacker can do, one after the other."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from tests.disclosure.attacker.elimination import solved
from tests.disclosure.attacker.linear import Neighbourhoods
from tests.disclosure.attacker.matrix import Integers, Matrix
from tests.disclosure.attacker.propagation import propagate
from tests.disclosure.attacker.system import System


@dataclass(frozen=True, slots=True)
class Attack:
    """What came out of an attack.

    Args:
        number_of: The counts by name.
        low: Least possible value of each count.
        high: Greatest possible value of each count.
        exact: Counts that follow exactly, though no bounds may say how much they are.
        programmed: How many counts linear programming was tried on.
    """

    number_of: dict[Hashable, int]
    low: Integers
    high: Integers
    exact: frozenset[int]
    programmed: int

    def interval(self, name: Hashable) -> tuple[int, int]:
        """Least and greatest possible value of *name*."""
        number = self.number_of[name]
        return int(self.low[number]), int(self.high[number])

    def is_exact(self, name: Hashable) -> bool:
        """Whether *name* follows exactly."""
        number = self.number_of[name]
        return number in self.exact or bool(self.low[number] == self.high[number])


def attack(
    system: System, targets: Iterable[Hashable] = (), *, programs: int = 100, equations_around: int = 400
) -> Attack:
    """Bounds over everything, elimination, then linear programming on the narrowest of *targets*.

    Args:
        system: What is published.
        targets: The counts that must stay hidden; linear programming is tried on these alone.
        programs: On how many of them at most.
        equations_around: How many equations around a count one program takes in.

    Raises:
        ValueError: No counts fit what is published.
    """
    equations = sorted(system.equations)
    matrix = Matrix.of(equations)
    low, high = np.array(system.low, np.int64), np.array(system.high, np.int64)
    propagate(matrix, system.shares, low, high)
    exact = solved(equations, low, high)
    open_targets = [number for number in map(system.unknown, targets) if low[number] < high[number]]
    narrowest = sorted(open_targets, key=lambda number: int(high[number] - low[number]))[:programs]
    neighbourhoods = Neighbourhoods(equations, equations_around)
    for number in narrowest:
        neighbourhoods.narrow(number, low, high)
    return Attack(system.number_of, low, high, frozenset(exact), len(narrowest))
