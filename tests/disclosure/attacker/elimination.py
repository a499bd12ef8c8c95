"""Which counts follow exactly from equations alone, in exact arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.disclosure.attacker.matrix import Integers, Matrix, Truths

# Whole numbers modulo a prime of 61 bits: no rounding, and a wrong zero is less likely than a failing machine.
PRIME = 2**61 - 1
Row = dict[int, int]


def solved(matrix: Matrix, low: Integers, high: Integers) -> Truths:
    """The counts that are not known yet and that the equations settle, true by number."""
    unknown = matrix.of_entries((low < high)[matrix.columns])
    is_found = np.zeros(len(low), np.bool_)
    for rows in _apart(_core(unknown, len(low)), len(low)):
        is_found[list(_solved_in(rows))] = True
    # what is settled may leave a single unknown in an equation that was laid aside
    while True:
        unknown = unknown.of_entries(~is_found[unknown.columns])
        is_single = np.bincount(unknown.rows, minlength=unknown.n_rows)[unknown.rows] == 1
        if not is_single.any():
            return is_found
        is_found[unknown.columns[is_single]] = True


def _core(matrix: Matrix, n_columns: int) -> Matrix:
    """The equations that can settle something: one with an unknown that no other has can always be met by it."""
    while True:
        is_alone = np.bincount(matrix.columns, minlength=n_columns)[matrix.columns] == 1
        lengths = np.bincount(matrix.rows, minlength=matrix.n_rows)
        is_met = np.zeros(matrix.n_rows, np.bool_)
        is_met[matrix.rows[is_alone]] = True
        is_met &= lengths > 1
        if not is_met.any():
            return matrix
        matrix = matrix.of_entries(~is_met[matrix.rows])


def _apart(matrix: Matrix, n_columns: int) -> Iterator[list[Row]]:
    """The equations in groups that share no unknown."""
    if not len(matrix.rows):
        return
    size = matrix.n_rows + n_columns
    graph = coo_array((np.ones(len(matrix.rows), np.int8), (matrix.rows, matrix.columns + matrix.n_rows)), (size, size))
    labels = connected_components(graph, directed=False)[1][matrix.rows]
    order = np.lexsort((matrix.rows, labels))
    for entries in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        rows: dict[int, Row] = defaultdict(dict)
        for row, column, sign in zip(
            matrix.rows[entries].tolist(), matrix.columns[entries].tolist(), matrix.signs[entries].tolist(), strict=True
        ):
            rows[row][column] = sign
        yield list(rows.values())


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
