"""How numbers and targets are written: a target that is not to be exceeded says so."""

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
    return f"≤{number_text(value)}" if direction == "down" else number_text(value)


def number_text(value: Any) -> str:
    """A number with all its decimals and no zeros behind them."""
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
