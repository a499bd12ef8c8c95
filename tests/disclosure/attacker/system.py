"""Unknown counts, what is published of them, and the sums that hold between them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

# More than any count of persons: an unknown that nothing is published of lies between 0 and this.
FAR = 10**12


class Share(NamedTuple):
    """A published share: `part` over `whole` lies between `lowest` and `highest`."""

    part: int
    whole: int
    lowest: Fraction
    highest: Fraction


class Equation(NamedTuple):
    """`whole` equals the sum of `parts`."""

    whole: int
    parts: tuple[int, ...]


@dataclass(slots=True)
class System:
    """Counts by name, their bounds, and what binds them; every count is a whole number of at least zero."""

    number_of: dict[Hashable, int] = field(default_factory=dict)
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    equations: set[Equation] = field(default_factory=set)
    shares: list[Share] = field(default_factory=list)

    def unknown(self, name: Hashable) -> int:
        """The number of the count called *name*; a new one when it is new."""
        number = self.number_of.setdefault(name, len(self.low))
        if number == len(self.low):
            self.low.append(0)
            self.high.append(FAR)
        return number

    def bound(self, name: Hashable, lowest: int, highest: int) -> None:
        """*name* lies between *lowest* and *highest*, both included; what was known before holds too.

        Raises:
            ValueError: Nothing lies between what was known and this.
        """
        number = self.unknown(name)
        self.low[number] = max(self.low[number], lowest)
        self.high[number] = min(self.high[number], highest)
        if self.low[number] > self.high[number]:
            raise ValueError(f"{name}: nothing is left between {self.low[number]} and {self.high[number]}")

    def adds_up(self, whole: Hashable, parts: Iterable[Hashable]) -> None:
        """*whole* is the sum of *parts*."""
        self.equations.add(Equation(self.unknown(whole), tuple(sorted(self.unknown(part) for part in parts))))

    def share(self, part: Hashable, whole: Hashable, lowest: Fraction, highest: Fraction) -> None:
        """*part* over *whole* was published as a figure that stands for *lowest* to *highest*."""
        self.shares.append(Share(self.unknown(part), self.unknown(whole), lowest, highest))
