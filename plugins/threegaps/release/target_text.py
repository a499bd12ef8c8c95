"""How a target is written: one that is not to be exceeded says so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def target_text(value: Any, direction: str | None) -> str | None:
    """A target as it is written, without its unit; None where there is none.

    Args:
        value: The number, in the indicator's unit.
        direction: Whether the indicator is better ``up``, ``down``, ``towards_1`` or neither.
    """
    if value is None:
        return None
    number = f"{Decimal(value):,f}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"≤{number}" if direction == "down" else number
