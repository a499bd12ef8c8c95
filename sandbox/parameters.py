"""What a sandbox is made of."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_SCALE = 0.001
"""As large as a first run of some minutes on two cores allows."""
WHOLE_LISTS_FROM = 0.0005
"""From this size on a department's lists are as long as in life."""
LEAST_LISTED = 400


@dataclass(frozen=True, slots=True)
class Parameters:
    """Size, seed and dirt of a sandbox.

    Args:
        scale: 1 = the province, 39 million employed.
        seed: Everything else being equal, the same seed gives the same sandbox.
        dirt: Share of dirty rows.
        rows_per_part: A month of wages is cut into files of at most so many rows.
        truth: Whether the true indicator values are computed; at large scales they take long.
    """

    scale: float = DEFAULT_SCALE
    seed: int = 20250527
    dirt: float = 0.02
    rows_per_part: int = 8_000
    truth: bool = True

    def listed(self, in_full: int) -> int:
        """Entries of a department's list: all of them but in a very small sandbox."""
        return max(round(in_full * min(self.scale / WHOLE_LISTS_FROM, 1.0)), LEAST_LISTED)
