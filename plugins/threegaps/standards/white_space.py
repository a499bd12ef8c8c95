"""What counts as white space in whatever departments send: every character that shows nothing. The one definition.

That is Unicode's property White_Space, its characters of format that have no sign of their own (of no width, joiners,
marks of direction, a byte order mark within a text), and the control characters that end fields and files.
"""

from __future__ import annotations

import re

_RANGES = (
    (0x0009, 0x000D),
    (0x001A, 0x001A),  # the end of a file, as DOS marks it
    (0x001C, 0x0020),  # separators of files, groups, records and units, and the space
    (0x0085, 0x0085),
    (0x00A0, 0x00A0),
    (0x00AD, 0x00AD),  # a hyphen that shows only where a line is broken
    (0x061C, 0x061C),
    (0x1680, 0x1680),
    (0x180E, 0x180E),
    (0x2000, 0x200F),  # spaces of all widths, none included, joiners, marks of direction
    (0x2028, 0x202F),
    (0x205F, 0x206F),
    (0x3000, 0x3000),  # the full-width space
    (0xFEFF, 0xFEFF),
)

WHITE_SPACE = "".join(chr(code) for first, last in _RANGES for code in range(first, last + 1))
"""Each of its characters."""

WHITE_SPACE_CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES)
"""What stands between the brackets of a regular expression, Python's or polars'."""

_ANY = re.compile(f"[{WHITE_SPACE_CLASS}]+")


def without_white_space(text: str) -> str:
    """*text* without any."""
    return _ANY.sub("", text)


def is_blank(text: str) -> bool:
    """Whether *text* is empty, or nothing else."""
    return not text.strip(WHITE_SPACE)
