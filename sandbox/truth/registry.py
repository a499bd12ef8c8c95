"""Which module computes which indicator: each registers its codes, and gives cells of no other."""

from __future__ import annotations

from collections.abc import Callable

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


def compute(known: Known) -> Cells:
    """The cells of all indicators.

    Raises:
        ValueError: A function gave a cell of an indicator that it is not registered for, or none of one that it is.
    """
    cells = Cells()
    for function in dict.fromkeys(_COMPUTATIONS.values()):
        own = Cells()
        function(own, known)
        said = {code for code, other in _COMPUTATIONS.items() if other is function}
        if own.codes() != said:
            raise ValueError(f"{function.__name__} is registered for {sorted(said)} and computes {sorted(own.codes())}")
        cells.frames += own.frames
    return cells
