"""Texts that the warehouse cannot hold, however they were written: with a NUL, or with half a character."""

from __future__ import annotations

import re

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold *text*: it knows no NUL, and no surrogate without its other half."""
    return _UNSTORABLE.search(text) is None
