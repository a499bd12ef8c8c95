"""The narrowest interval of one count by linear programming over the equations around it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from tests.disclosure.attacker.matrix import Integers
from tests.disclosure.attacker.system import FAR, Equation

# Rounding in the solver: a bound within so much of a whole number is that number.
TOLERANCE = 1e-6


class Neighbourhoods:
    """Solves for a count over the equations nearest to it.

    Args:
        equations: All sums that hold.
        most: So many equations at most around a count; fewer equations can only give wider intervals.
    """

    def __init__(self, equations: Sequence[Equation], most: int) -> None:
        self._equations = equations
        self._most = most
        self._of: dict[int, list[int]] = defaultdict(list)
        for number, equation in enumerate(equations):
            for column in (equation.whole, *equation.parts):
                self._of[column].append(number)

    def narrow(self, number: int, low: Integers, high: Integers) -> None:
        """Narrow the bounds of count *number* in place."""
        chosen = self._nearest(number)
        if not chosen:
            return
        columns = sorted({column for one in chosen for column in _columns(self._equations[one])})
        at = {column: position for position, column in enumerate(columns)}
        entries = [
            (row, at[column], 1.0 if column == self._equations[one].whole else -1.0)
            for row, one in enumerate(chosen)
            for column in _columns(self._equations[one])
        ]
        rows, positions, signs = (np.array(side) for side in zip(*entries, strict=True))
        matrix = csr_array((signs, (rows, positions)), shape=(len(chosen), len(columns)))
        bounds = [(int(low[column]), None if high[column] >= FAR else int(high[column])) for column in columns]
        for direction in (1.0, -1.0):
            goal = np.zeros(len(columns))
            goal[at[number]] = direction
            done = linprog(goal, A_eq=matrix, b_eq=np.zeros(len(chosen)), bounds=bounds, method="highs")
            if done.status != 0:
                continue
            if direction > 0:
                low[number] = max(int(low[number]), math.ceil(done.fun - TOLERANCE))
            else:
                high[number] = min(int(high[number]), math.floor(-done.fun + TOLERANCE))

    def _nearest(self, number: int) -> list[int]:
        chosen: dict[int, None] = {}
        seen = {number}
        ring: Iterable[int] = [number]
        while ring and len(chosen) < self._most:
            following: dict[int, None] = {}
            for column in ring:
                for one in self._of[column]:
                    if one in chosen:
                        continue
                    chosen[one] = None
                    following.update((near, None) for near in _columns(self._equations[one]) if near not in seen)
            seen.update(following)
            ring = list(following)
        return list(chosen)[: self._most]


def _columns(equation: Equation) -> tuple[int, ...]:
    return (equation.whole, *equation.parts)
