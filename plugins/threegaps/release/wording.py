"""Why figures changed, in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threegaps.release.history import Cause

_MOST_BATCHES = 4


def cause_text(cause: Cause) -> str:
    """A cause in a few words, in English as the catalogue of translations has them."""
    if cause.cause == "batch":
        listed = _listed(cause.batches)
        rules = ", ".join(cause.rules)
        if rules:
            return f"{cause.source}: batches {listed}, accepted against {rules}"
        return f"{cause.source}: batches {listed}"
    if cause.cause == "as_of":
        return "days passed"
    if cause.cause == "undo":
        return f"undo of {cause.source}: {cause.note or ''}"
    if cause.cause == "model":
        return f"model {cause.source} changed"
    if cause.cause == "seed":
        return f"seed {cause.source} changed"
    return "full build"


def _listed(batches: Sequence[int]) -> str:
    first = ", ".join(map(str, batches[:_MOST_BATCHES]))
    return f"{first}, … ({len(batches):,})" if len(batches) > _MOST_BATCHES else first
