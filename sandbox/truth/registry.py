"""Which module computes which indicator: each registers its codes, and gives cells of no other."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known

Computation = Callable[[Cells, Known], None]
_COMPUTATIONS: dict[str, Computation] = {}


def computes(*codes: str) -> Callable[[Computation], Computation]:
    """Register a function as the one that computes these indicators."""

    def register(function: Computation) -> Computation:
        for code in codes:
            if code in _COMPUTATIONS:
                raise ValueError(f"{code} is computed twice")
            _COMPUTATIONS[code] = function
        return function

    return register


def codes() -> tuple[str, ...]:
    """Every indicator that has a truth."""
    return tuple(sorted(_COMPUTATIONS))


def compute(known: Known, wanted: Collection[str] | None = None) -> Cells:
    """The cells of all indicators, or of those that are wanted and what is computed with them.

    Raises:
        ValueError: A function gave a cell of an indicator that it is not registered for, or none of one that it is.
    """
    cells = Cells()
    for function in dict.fromkeys(_COMPUTATIONS.values()):
        said = {code for code, other in _COMPUTATIONS.items() if other is function}
        if wanted is not None and said.isdisjoint(wanted):
            continue
        own = Cells()
        function(own, known)
        if own.codes() != said:
            raise ValueError(f"{function.__name__} is registered for {sorted(said)} and computes {sorted(own.codes())}")
        cells.frames += own.frames
        cells.computed |= own.computed
    return cells
