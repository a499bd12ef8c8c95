"""The system's own codes are labelled in one place, which marts, pages and messages read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from threegaps import labels
from threegaps.labels import Labels
from threegaps.settings import Settings

ROOT = Settings.load().root
PACKAGE = ROOT / "plugins" / "threegaps"
HOME = Path(labels.__file__)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
KINDS: dict[str, Labels] = {
    name: value for name, value in vars(labels).items() if name.isupper() and not name.startswith("OF_")
}
# The directory of government data has words of its own for these, and what readers see is not what they are called.
OTHERWISE_TOO = {"CADENCES", "PROTOCOLS", "READER_KINDS"}
# A label of two characters or fewer may stand in any sentence.
SHORTEST = 3


def modules() -> list[Path]:
    found = [path for path in sorted(PACKAGE.rglob("*.py")) if path != HOME]
    assert len(found) > 100
    return found


def lists_of_labels(source: str) -> Iterator[str]:
    """Dictionaries that say in Chinese what two codes of one kind mean."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Dict):
            continue
        said = {
            key.value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and CHINESE.search(ast.unparse(value))
        }
        kinds = {name: kind for name, kind in KINDS.items() if name not in OTHERWISE_TOO}
        yield from (f"{node.lineno}: {name}" for name, kind in kinds.items() if len(said) > 1 and said <= set(kind))


def spelt(texts: Iterable[str]) -> Iterator[str]:
    """Kinds of which one of some texts spells two labels or more."""
    for text in texts:
        for name, kind in KINDS.items():
            found = {zh for zh, _ in kind.values() if len(zh) >= SHORTEST and zh in text}
            if len(found) > 1:
                yield f"{name}: {', '.join(sorted(found))}"


def strings_in(source: str) -> list[str]:
    """What a module says: its strings, without what documents it."""
    tree = ast.parse(source)
    documents = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in documents)
    return [node.value for node in constants if isinstance(node.value, str)]


def test_no_module_has_a_list_of_its_own() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in modules()}
    assert {str(path): found for path, text in texts.items() if (found := list(lists_of_labels(text)))} == {}
    assert {str(path): found for path, text in texts.items() if (found := list(spelt(strings_in(text))))} == {}


def lines(page: Path) -> list[str]:
    return page.read_text(encoding="utf-8").splitlines()


def test_no_page_has_a_list_of_its_own() -> None:
    pages = sorted((PACKAGE / "reference" / "templates").glob("*.html"))
    assert pages
    assert {page.name: found for page in pages if (found := list(spelt(lines(page))))} == {}


def test_what_marts_say_of_a_code_is_its_label() -> None:
    """Comments of columns list codes with their meaning, as `final定稿`."""
    said = 0
    wrong = []
    for path in sorted((ROOT / "dbt_project" / "models").rglob("_*.yml")):
        text = path.read_text(encoding="utf-8")
        for kind in (labels.PERIOD_TYPES, labels.VALUE_STATUSES, labels.MATURITIES, labels.TARGET_STATUSES,
                     labels.CHANGE_UNITS, labels.STATUTORY_MARKS):  # fmt: skip
            for code, (zh, _) in kind.items():
                for found in re.finditer(rf"(?<![a-z_]){code}(?=[\u4e00-\u9fff])(.{{{len(zh)}}})", text):
                    said += 1
                    if found[1] != zh:
                        wrong.append(f"{path.name}: {found[0]} should be {code}{zh}")
    assert said > 20
    assert wrong == []


def test_a_second_list_would_be_found() -> None:
    listed = 'NAMES = {"final": ("定了", "x"), "provisional": ("未定", "y")}'
    assert list(lists_of_labels(listed)) == ["1: MATURITIES"]
    assert list(spelt(["行政记录 or 统计报表"])) == ["STATUTORY_MARKS: 统计报表, 行政记录"]
    assert "已隐去" not in strings_in('def f():\n    """已隐去"""\n    return 1')
