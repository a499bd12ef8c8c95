"""What is committed names no machine, holds no secret and leaves nothing half done."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from threegaps.settings import Settings

ROOT = Settings.load().root
THIS = Path(__file__).resolve()

TEXT_ENDINGS = {
    ".cfg", ".csv", ".html", ".in", ".ini", ".j2", ".json", ".mako", ".md", ".py", ".sh", ".sql", ".svg", ".toml",
    ".txt", ".yaml", ".yml", "",
}  # fmt: skip

FORBIDDEN: dict[str, re.Pattern[str]] = {
    "a machine's path": re.compile(r"(?<![\w.])/(?:root|home/(?!threegaps\b|\w*\$|<)\w+|work|tmp/w|Users/\w+)/"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "a token": re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[bap]-[0-9A-Za-z-]{10,})\b"),
    "a password in an address": re.compile(
        r"\b(?:postgres(?:ql)?|mysql|redis|https?|sftp)(?:\+\w+)?://[^\s:/@{}$<>'\"]+:(?!\$|\{|<|%|\.\.\.|password@|secret@)[^\s@/{}$<>'\"]{6,}@"
    ),
    "a package index": re.compile(r"--(?:extra-)?index-url|files\.pythonhosted\.org|/simple/?\s*$|mirrors\.\w+\.\w+"),
    "something left to do": re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"),
    "a claim of effect": re.compile("培训效果|培训成效|培训效应|低收入组"),
}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    # A copy without its history (an archive, a container): everything but what is made.
    made = {".git", ".venv", ".threegaps", "__pycache__", "target", "logs", "dbt_packages"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.relative_to(ROOT).parts)]


def texts() -> list[Path]:
    return [path for path in tracked() if path.suffix.lower() in TEXT_ENDINGS and path != THIS]


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="ignore")


@pytest.mark.parametrize("fault", FORBIDDEN)
def test_no_file_holds(fault: str) -> None:
    pattern = FORBIDDEN[fault]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts()
        for number, line in enumerate(read(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("a machine's path", "open('/root/" + "secrets.json')"),
        ("a machine's path", "cd /home/" + "someone/x"),
        ("a private key", "-----BEGIN OPENSSH " + "PRIVATE KEY-----"),
        ("a password in an address", "postgresql://pipeline:" + "hunter22@db/warehouse"),
        ("a package index", "pip install --index-" + "url https://example"),
        ("something left to do", "# TO" + "DO later"),
        ("a claim of effect", "培训" + "效果"),
    ],
)
def test_the_patterns_see(fault: str, line: str) -> None:
    assert FORBIDDEN[fault].search(line)


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-contracts.txt"])
def test_every_requirement_is_pinned(lock: str) -> None:
    lines = [line.strip() for line in read(ROOT / lock).splitlines()]
    assert "--only-binary :all:" in lines, "wheels only: nothing is compiled while installing"
    lines = [line.removesuffix(" \\") for line in lines if line and not line.startswith(("#", "--"))]
    loose = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._\[\],-]+==[A-Za-z0-9.+!]+(?:\s*;\s*.+)?", line)]
    assert lines
    assert not loose


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-contracts.txt"])
def test_every_requirement_has_its_hashes(lock: str) -> None:
    """A package that was swapped on its way is not installed."""
    entries = [
        entry for entry in re.split(r"\n(?=\S)", read(ROOT / lock)) if entry and not entry.startswith(("#", "--"))
    ]
    assert len(entries) > 40
    without = [entry for entry in entries if not re.search(r"\\\n    --hash=sha256:[0-9a-f]{64}\b", entry)]
    assert without == []


@pytest.mark.parametrize("lock", ["requirements", "requirements-contracts"])
def test_every_direct_requirement_is_locked(lock: str) -> None:
    def name(line: str) -> str:
        return re.split(r"[\[<>=!~; ]", line.strip(), maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")

    def names(file: str) -> set[str]:
        return {name(line) for line in read(ROOT / file).splitlines() if line.strip() and not line.startswith("#")}

    assert names(f"{lock}.in") <= names(f"{lock}.txt")


def python_files(*folders: str) -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def test_no_type_is_ignored_without_its_code() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files("plugins", "dags", "sandbox", "tests", "benchmarks")
        for number, line in enumerate(read(path).splitlines(), 1)
        if re.search(r"#\s*type:\s*ignore(?!\[[a-z-]+(?:,\s*[a-z-]+)*\])", line) and path != THIS
    ]
    assert not bare


def test_every_public_name_says_what_it_is() -> None:
    """Modules, public classes and public functions of the package carry a docstring."""
    silent: list[str] = []
    for path in python_files("plugins"):
        tree = ast.parse(read(path))
        place = path.relative_to(ROOT / "plugins")
        if "versions" in place.parts:
            continue
        if tree.body and ast.get_docstring(tree) is None:
            silent.append(str(place))
        silent += [
            f"{place}:{node.lineno} {node.name}"
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and not node.name.startswith("_")
            and ast.get_docstring(node) is None
        ]
    assert not silent, "\n".join(silent)


def test_no_test_is_empty() -> None:
    """A test that asserts nothing and expects no error cannot fail."""
    empty: list[str] = []
    for path in python_files("tests"):
        tree = ast.parse(read(path))
        helpers = _asserting_functions(tree)
        empty += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
            and not _can_fail(node, helpers)
        ]
    assert not empty, "\n".join(empty)


def _asserting_functions(tree: ast.Module) -> set[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name for node in functions if not node.name.startswith("test_") and _can_fail(node, set())}


def _can_fail(node: ast.AST, helpers: set[str]) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert | ast.Raise):
            return True
        if isinstance(inner, ast.Call):
            called = ast.unparse(inner.func)
            last = called.split(".")[-1]
            if (
                last in helpers
                or last in {"raises", "fail", "warns"}
                or last.startswith(("assert_", "check_", "expect_"))
            ):
                return True
    return False


def test_skips_give_a_reason_and_nothing_is_expected_to_fail() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files("tests")
        for number, line in enumerate(read(path).splitlines(), 1)
        if re.search(r"pytest\.mark\.xfail|mark\.skip\b(?!\()|mark\.skip\(\s*\)|pytest\.skip\(\s*\)", line)
        and path != THIS
    ]
    assert not found
