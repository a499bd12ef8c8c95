"""Texts that fit limits in bytes."""

from __future__ import annotations

CUT_MARK = "\n…(已截断 cut)"


def cut_to_bytes(text: str, limit: int, mark: str = CUT_MARK) -> str:
    """*text* in at most *limit* bytes of UTF-8: whole, or its beginning up to a whole character, and *mark*.

    Args:
        limit: Bytes; at least those of the mark.
    """
    written = text.encode()
    if len(written) <= limit:
        return text
    room = limit - len(mark.encode())
    return written[:room].decode("utf-8", "ignore") + mark
