"""The narrowest interval of one count by linear programming over the equations around it."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from tests.disclosure.attacker.matrix import Integers, Matrix
from tests.disclosure.attacker.system import FAR

# Rounding in the solver: a bound within so much of a whole number is that number.
TOLERANCE = 1e-6


class Neighbourhoods:
    """Solves for a count over the equations nearest to it.

    Args:
        matrix: All sums that hold.
        n_columns: Number of counts.
        most: So many equations at most around a count; fewer equations can only give wider intervals.
    """

    def __init__(self, matrix: Matrix, n_columns: int, most: int) -> None:
        entries = (matrix.signs.astype(np.float64), (matrix.rows, matrix.columns))
        self._by_row = csr_array(entries, shape=(matrix.n_rows, n_columns))
        self._by_column = self._by_row.tocsc()
        self._most = most

    def narrow(self, number: int, low: Integers, high: Integers) -> None:
        """Narrow the bounds of count *number* in place."""
        chosen = self._nearest(number)
        if not len(chosen):
            return
        some = self._by_row[chosen]
        columns = np.unique(some.indices)
        matrix = some[:, columns]
        bounds = [(int(low[column]), None if high[column] >= FAR else int(high[column])) for column in columns]
        for direction in (1.0, -1.0):
            goal = np.where(columns == number, direction, 0.0)
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
        ring = [number]
        while ring and len(chosen) < self._most:
            following: dict[int, None] = {}
            for column in ring:
                start, end = self._by_column.indptr[column : column + 2]
                for one in self._by_column.indices[start:end].tolist():
                    if one in chosen:
                        continue
                    chosen[one] = None
                    first, last = self._by_row.indptr[one : one + 2]
                    near = self._by_row.indices[first:last].tolist()
                    following.update((column, None) for column in near if column not in seen)
            seen.update(following)
            ring = list(following)
        return list(chosen)[: self._most]
