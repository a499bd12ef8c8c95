"""What a sandbox is made of."""

from __future__ import annotations

from dataclasses import dataclass


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

    scale: float = 0.0005
    seed: int = 20250527
    dirt: float = 0.02
    rows_per_part: int = 8_000
    truth: bool = True
