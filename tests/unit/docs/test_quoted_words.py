"""What the Chinese pages of the handbook quote is there: a heading to go to, or words that a screen shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from threegaps.settings import Settings

_ROOT = Settings.load().root
_DOCS = _ROOT / "docs"
_PACKAGE = _ROOT / "plugins" / "threegaps"
_PAGES = ("guide.zh.md", "runbook.zh.md")


def _shown() -> str:
    """What templates, labels and catalogues of translations say."""
    files = [*_PACKAGE.rglob("*.html"), *_PACKAGE.rglob("*.py"), *_PACKAGE.rglob("*.po")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", _PAGES)
def test_what_is_quoted_stands_on_a_screen_or_over_a_section(page: str) -> None:
    quoted = set(re.findall("“([^”]+)”", (_DOCS / page).read_text(encoding="utf-8")))
    headings = [heading for one in _DOCS.glob("*.zh.md") for heading in _headings(one)]
    shown = _shown()
    assert quoted
    assert {words for words in quoted if words not in shown and not any(words in one for one in headings)} == set()
