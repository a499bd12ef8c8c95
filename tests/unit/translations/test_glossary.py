"""One word for one thing: what the glossary says is not used stands in no text that people read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from threegaps import labels
from threegaps.settings import Settings
from threegaps.translations.catalogue import FOLDER, read

ROOT = Settings.load().root
PACKAGE = ROOT / "plugins" / "threegaps"
CHINESE = re.compile("[\u4e00-\u9fff]")
LABELS = [
    name
    for name, value in vars(labels).items()
    if name.isupper() and all(isinstance(one, tuple) for one in value.values())
]
FILLED_IN = "…"
# Longer words that begin with one that is not used.
MEANT_SO = ("按时间",)
ENGLISH_PAGES = ("README.md", "docs/guide.md", "docs/runbook.md", "docs/server.md", "docs/adding-a-feed.md")


@cache
def glossary() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Each line of the table: in English, the words in Chinese, and those that are not used."""
    rows = []
    for line in (FOLDER / "glossary.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0] not in {"English", "---"}:
            words, unused = (tuple(filter(None, cell.split("、"))) for cell in cells[1:3])
            rows.append((cells[0], words, unused))
    return rows


def faults(text: str, *, english: bool) -> list[str]:
    """The words in *text* that are not used, with what is used in their place."""
    for meant in MEANT_SO:
        text = text.replace(meant, "")
    found = []
    for term, words, unused in glossary():
        for word in unused:
            if bool(CHINESE.search(word)) == english or word not in text.lower():
                continue
            rest = text.lower()
            for one in words:
                rest = rest.replace(one, " ")  # 数据仓库 is no 仓库
            if re.search(rf"\b{re.escape(word)}\b" if english else re.escape(word), rest):
                found.append(f"{word}: {term} is {'、'.join(words)}")
    return found


def chinese_of_python(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module that have Chinese in them, but for documents of the code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            # What is filled in splits no word: the pieces are read as one text, too.
            text = "".join(str(one.value) if isinstance(one, ast.Constant) else FILLED_IN for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            text = node.value
        else:
            continue
        if CHINESE.search(text):
            yield node.lineno, text


def chinese_texts() -> Iterator[tuple[str, str]]:
    """Every text in Chinese that people read, with its place."""
    for path in sorted((FOLDER / "zh").glob("*.po")):
        for entry in read(path):
            yield f"{path.name}:{entry.line}", entry.msgstr
    for page in (ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.zh.md"))):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            yield f"{page.name}:{number}", line
    for path in sorted(PACKAGE.rglob("*.py")):
        for number, text in chinese_of_python(path):
            yield f"{path.relative_to(PACKAGE)}:{number}", text
    for path in sorted(PACKAGE.rglob("templates/*.html")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield f"{path.relative_to(PACKAGE)}:{number}", line
    for folder in ("dbt_project/models", "dbt_project/seeds", "expectations"):
        for path in sorted((ROOT / folder).rglob("*.y*ml")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                if CHINESE.search(line):
                    yield f"{path.name}:{number}", line


def english_texts() -> Iterator[tuple[str, str]]:
    """What the command line says in English, and the pages of whoever uses it."""
    for path in sorted((FOLDER / "zh").glob("*.po")):
        for entry in read(path):
            yield f"{path.name}:{entry.line}", entry.msgid
    for name in ENGLISH_PAGES:
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1):
            yield f"{name}:{number}", line


def test_the_glossary_is_read() -> None:
    rows = {term: (words, unused) for term, words, unused in glossary()}
    assert len(rows) > 40
    assert rows["delivery"] == (("报送期",), ("交付期", "期次"))
    assert "来源 | feed" in rows["feed"][1]
    chosen = {word for _, words, _ in glossary() for word in words}
    assert chosen & {word for _, _, unused in glossary() for word in unused} == set()


@pytest.mark.parametrize(
    ("text", "english", "is_fault"),
    [
        ("批次属于哪个交付期", False, True),
        ("数据仓库没有应答", False, False),
        ("仓库没有应答", False, True),
        ("进度按时间计算", False, False),
        ("the landed file is gone", True, True),
        ("the landed object is gone", True, False),
    ],
)
def test_a_word_that_is_not_used_is_found(text: str, *, english: bool, is_fault: bool) -> None:
    assert bool(faults(text, english=english)) == is_fault


@pytest.mark.parametrize("name", LABELS)
def test_labels_say_what_the_glossary_says(name: str) -> None:
    """A code that is a term of the glossary, or one of a feed, has the term's own word in it."""
    words = {}
    for english, chinese, _ in glossary():
        terms = english.split(", ")
        if len(terms) == len(chinese):
            words |= dict(zip((term.replace(" ", "_") for term in terms), chinese, strict=True))
    assert words["shrinking"] == "缩减"
    found = {code: said[0] for code, said in getattr(labels, name).items()}
    assert {code: said for code, said in found.items() if words.get(code.removeprefix("feed_"), "") not in said} == {}


def test_a_word_is_found_though_something_is_filled_in(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('said = f"连接{name}不通"\n', encoding="utf-8")
    assert any(faults(text, english=False) for _, text in chinese_of_python(module))


def test_one_word_stands_for_one_thing_in_chinese() -> None:
    texts = list(chinese_texts())
    assert len(texts) > 5000
    assert [f"{place}: {fault}" for place, text in texts for fault in faults(text, english=False)] == []


def test_one_word_stands_for_one_thing_in_english() -> None:
    texts = list(english_texts())
    assert len(texts) > 2000
    assert [f"{place}: {fault}" for place, text in texts for fault in faults(text, english=True)] == []
