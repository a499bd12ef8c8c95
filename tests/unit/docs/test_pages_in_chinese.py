"""Pages in two languages say the same: sections, commands, blocks of code, tables and links, section by section."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.docs.test_docs import ROOT, anchors, commands_in

PAGES = ("file-check", "guide", "runbook", "server")
CHINESE = re.compile(r"[一-鿿]")
BLOCK = re.compile(r"```\w*\n.*?```", re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
ANCHOR = re.compile(r'<a id="([\w-]+)"></a>')


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def headings(text: str) -> list[tuple[str, str]]:
    """Level and text of each heading, in order; a line of code that begins with # is none."""
    return HEADING.findall(BLOCK.sub("", text))


def sections(text: str) -> list[str]:
    """A page in pieces, each from its heading to the next; blocks of code stay whole."""
    blocks = BLOCK.findall(text)
    pieces = re.split(r"^(?=#+ )", BLOCK.sub("\0", text), flags=re.MULTILINE)
    left = iter(blocks)
    return [re.sub("\0", lambda _: next(left), piece) for piece in pieces if piece.strip()]


def links(section: str) -> Counter[str]:
    """Where a section leads to, whatever the language of the page there."""
    prose = re.sub(r"(?<!\[)`[^`\n]+`", "", BLOCK.sub("", section))
    found = (re.sub(r"\.zh\.md", ".md", target) for target in re.findall(r"\]\(([^)\s]+)\)", prose))
    return Counter(found)


def reasons_apart(text: str) -> str:
    """*text* without what somebody writes in words of the own language: the reason of a step."""
    return re.sub(r'--(why|note) "[^"]*"', r'--\1 "…"', text)


def blocks(section: str) -> list[str]:
    """Its blocks of code."""
    return [reasons_apart(block) for block in BLOCK.findall(section)]


def rows(section: str) -> list[int]:
    """How many cells each row of its tables has."""
    return [line.count("|") for line in BLOCK.sub("", section).splitlines() if line.startswith("|")]


def differences(english: str, chinese: str) -> list[str]:
    """What one of two pages has and the other has not, by section."""
    levels = [[level for level, _ in headings(text)] for text in (english, chinese)]
    if levels[0] != levels[1]:
        named = [[title for _, title in headings(text)] for text in (english, chinese)]
        return [f"headings differ: {named[0]} and {named[1]}"]
    found = []
    for (_, title), first, second in zip(headings(english), sections(english), sections(chinese), strict=True):
        for what, of in (
            ("blocks of code", blocks),
            ("commands", lambda text: Counter(" ".join(words) for words in commands_in(reasons_apart(text)))),
            ("links", links),
            ("tables", rows),
        ):
            if of(first) != of(second):
                found.append(f"{title}: {what} differ: {of(first)} and {of(second)}")
    return found


@pytest.mark.parametrize("name", PAGES)
def test_both_pages_have_the_same_commands_links_and_tables(name: str) -> None:
    assert differences(page(f"{name}.md"), page(f"{name}.zh.md")) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_english_anchor_is_there_in_chinese(name: str) -> None:
    english, chinese = page(f"{name}.md"), page(f"{name}.zh.md")
    # the title of a page needs none
    slugs = list(anchors_in_order(english))[1:]
    assert slugs
    assert [slug for slug in slugs if slug not in anchors(chinese)] == []
    assert set(ANCHOR.findall(english)) <= set(ANCHOR.findall(chinese))


def anchors_in_order(text: str) -> list[str]:
    return [next(iter(anchors(f"{level} {title}"))) for level, title in headings(text)]


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_name_each_other_and_the_chinese_one_is_chinese(name: str) -> None:
    english, chinese = page(f"{name}.md"), page(f"{name}.zh.md")
    assert f"]({name}.zh.md)" in sections(english)[0]
    assert f"]({name}.md)" in sections(chinese)[0]
    for piece in sections(chinese):
        prose = re.sub(r"`[^`]*`|\]\([^)]*\)|<[^>]*>", "", BLOCK.sub("", piece))
        assert len(CHINESE.findall(prose)) > len(re.findall(r"[A-Za-z]+", prose)), piece.splitlines()[0]


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_leads_to_chinese_pages(name: str) -> None:
    text = sections(page(f"{name}.zh.md"))
    for other in PAGES:
        lost = [piece.splitlines()[0] for piece in text[1:] if f"]({other}.md" in piece]
        assert lost == [], f"{other}.zh.md is there"
    readme = (ROOT / "README.zh.md").read_text(encoding="utf-8")
    assert f"](docs/{name}.zh.md)" in readme


def test_what_differs_would_be_found(tmp_path: Path) -> None:
    english = "# A\n\n[x](y.md)\n\n## B\n\n```\nthreegaps status\n```\n\n`threegaps doctor`\n\n| a | b |\n"
    assert differences(english, english.replace("y.md", "y.zh.md").replace("B", "二")) == []
    assert "blocks of code" in differences(english, english.replace("status", "feeds"))[0]
    assert "commands" in differences(english, english.replace("doctor", "feeds"))[0]
    assert "links" in differences(english, english.replace("y.md", "z.md"))[0]
    assert "tables" in differences(english, english.replace("| b |", "|"))[0]
    assert "headings" in differences(english, english.replace("## B", "### B"))[0]
