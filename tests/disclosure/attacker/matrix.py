"""Equations as flat arrays: one entry for each count in each equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.disclosure.attacker.system import Equation

Integers = NDArray[np.int64]
Numbers = NDArray[np.int32]
Signs = NDArray[np.int8]
Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Entries of equations `sum(sign * count) = 0`.

    Args:
        rows: Equation of each entry, ascending.
        columns: Count of each entry.
        signs: +1 for the whole, -1 for a part.
        n_rows: Number of equations.
    """

    rows: Numbers
    columns: Numbers
    signs: Signs
    n_rows: int

    @classmethod
    def of(cls, equations: Sequence[Equation]) -> Matrix:
        """The entries of *equations*, in their order."""
        lengths = np.fromiter((1 + len(equation.parts) for equation in equations), np.int64, len(equations))
        columns = [column for equation in equations for column in (equation.whole, *equation.parts)]
        signs = np.full(len(columns), -1, np.int8)
        signs[np.cumsum(lengths) - lengths] = 1
        rows = np.repeat(np.arange(len(equations), dtype=np.int32), lengths)
        return cls(rows, np.array(columns, np.int32), signs, len(equations))

    def of_entries(self, is_wanted: Truths) -> Matrix:
        """The entries that are wanted, in the same equations."""
        return Matrix(self.rows[is_wanted], self.columns[is_wanted], self.signs[is_wanted], self.n_rows)
