"""The runbook in one of its languages, as the installation has it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from threegaps.watch.runbook import runbook_body

# The page is one, in the language that it is asked for.
_PAGES = {"runbook.md": "?language=en", "runbook.zh.md": "?language=zh"}


def read_runbook(docs: Path, *, is_zh: bool) -> str | None:
    """The runbook as HTML within a page; None where the installation has none.

    Args:
        docs: Where it lies.
        is_zh: Whether the Chinese one is meant.
    """
    path = docs / ("runbook.zh.md" if is_zh else "runbook.md")
    try:
        return _read(path, path.stat().st_mtime_ns, is_zh=is_zh)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _read(path: Path, _: int, *, is_zh: bool) -> str:
    """It is worked out again when its file has changed."""
    return runbook_body(path.read_text(encoding="utf-8"), is_zh=is_zh, pages=_PAGES)
