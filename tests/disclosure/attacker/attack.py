"""All that the attacker can do, one after the other."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.disclosure.attacker.elimination import solved
from tests.disclosure.attacker.linear import Neighbourhoods
from tests.disclosure.attacker.matrix import Integers, Matrix, Truths
from tests.disclosure.attacker.propagation import propagate
from tests.disclosure.attacker.system import Share, System


@dataclass(frozen=True, slots=True)
class Bounds:
    """What came out of an attack, by the number of each count.

    Args:
        low: Least possible value.
        high: Greatest possible value.
        is_exact: Whether it follows exactly, though no bounds may say how much it is.
        programmed: How many counts linear programming was tried on.
    """

    low: Integers
    high: Integers
    is_exact: Truths
    programmed: int


@dataclass(frozen=True, slots=True)
class Attack:
    """The same by name.

    Args:
        number_of: The counts by name.
        bounds: What came out.
    """

    number_of: dict[Hashable, int]
    bounds: Bounds

    def interval(self, name: Hashable) -> tuple[int, int]:
        """Least and greatest possible value of *name*."""
        number = self.number_of[name]
        return int(self.bounds.low[number]), int(self.bounds.high[number])

    def is_exact(self, name: Hashable) -> bool:
        """Whether *name* follows exactly."""
        return bool(self.bounds.is_exact[self.number_of[name]])


def attack(
    system: System, targets: Iterable[Hashable] = (), *, programs: int = 100, equations_around: int = 400
) -> Attack:
    """Attack counts that have names.

    Args:
        system: What is published.
        targets: The counts that must stay hidden; linear programming is tried on these alone.
        programs: On how many of them at most.
        equations_around: How many equations around a count one program takes in.

    Raises:
        ValueError: No counts fit what is published.
    """
    numbers = np.array([system.unknown(name) for name in targets], np.int64)
    low, high = np.array(system.low, np.int64), np.array(system.high, np.int64)
    matrix = Matrix.of(sorted(system.equations))
    found = attack_matrix(matrix, system.shares, low, high, numbers, programs, equations_around)
    return Attack(system.number_of, found)


def attack_matrix(
    matrix: Matrix,
    shares: Sequence[Share],
    low: Integers,
    high: Integers,
    targets: Integers,
    programs: int = 100,
    equations_around: int = 400,
) -> Bounds:
    """Bounds over everything, elimination, then linear programming on the narrowest of *targets*.

    Args:
        matrix: The sums that hold.
        shares: What is published of shares.
        low: The least that each count may be; narrowed in place.
        high: The most.
        targets: The counts that must stay hidden; linear programming is tried on these alone.
        programs: On how many of them at most.
        equations_around: How many equations around a count one program takes in.

    Raises:
        ValueError: No counts fit what is published.
    """
    propagate(matrix, shares, low, high)
    is_exact = solved(matrix, low, high)
    targets = targets[low[targets] < high[targets]]
    narrowest = targets[np.argsort(high[targets] - low[targets], kind="stable")][:programs]
    if len(narrowest):
        neighbourhoods = Neighbourhoods(matrix, len(low), equations_around)
        for number in narrowest.tolist():
            neighbourhoods.narrow(number, low, high)
    return Bounds(low, high, is_exact | (low == high), len(narrowest))
