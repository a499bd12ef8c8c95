"""Characters as departments type them, and the plain ones that they stand for."""

from __future__ import annotations

FULL_WIDTH = {ord("０") + offset: ord("0") + offset for offset in range(10)} | {
    **{ord("Ａ") + offset: ord("A") + offset for offset in range(26)},
    **{ord("ａ") + offset: ord("a") + offset for offset in range(26)},
    ord("．"): ord("."),
    ord("－"): ord("-"),
    ord("　"): ord(" "),
}
