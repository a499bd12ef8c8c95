"""Imports of the package point downward: a module imports from its own layer or from a lower one, in no circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from threegaps.settings import Settings

PACKAGE = Settings.load().root / "plugins" / "threegaps"

# Lowest first; docs/architecture.md shows the same table.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "labels", "settings", "calendar", "standards", "translations"}),
    frozenset({"rules"}),
    frozenset({"contracts"}),
    frozenset({"ledger", "home", "returned"}),
    frozenset({"connections", "landing", "sources"}),
    frozenset({"access", "airflow_api", "batch", "warehouse"}),
    frozenset({"feed_run", "file_check", "generate", "marts", "watch"}),
    frozenset({"one_machine", "reference", "release"}),
    frozenset({"orchestration"}),
    frozenset({"cli", "duty"}),
)
# What a DAG file or the plugin would pay for at each parse.
HEAVY = frozenset({"polars", "pandas", "great_expectations", "dbt", "sqlalchemy", "openpyxl", "asyncssh"})


def layer_of(part: str) -> int:
    for index, parts in enumerate(LAYERS):
        if part in parts:
            return index
    raise AssertionError(f"threegaps.{part} stands in no layer: add it to LAYERS and to docs/architecture.md")


def imports_of(path: Path, *, anywhere: bool = True) -> Iterator[tuple[str, int]]:
    """Absolute names of the modules that *path* imports; at module level only when not *anywhere*."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if anywhere else iter(_run_at_import(tree.body))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: write the import absolutely"
            module = node.module or ""
            if module == "threegaps":
                for alias in node.names:
                    if not alias.name.startswith("__"):
                        yield f"threegaps.{alias.name}", node.lineno
            else:
                yield module, node.lineno


def _run_at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from _run_at_import(statement.orelse)
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from _run_at_import(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from _run_at_import(handler.body)


def part_of(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_downward(path: Path) -> None:
    own = layer_of(path.relative_to(PACKAGE).parts[0].removesuffix(".py"))
    upward = [
        f"line {line}: {module}"
        for module, line in imports_of(path)
        if module.startswith("threegaps.") and layer_of(part_of(module)) > own
    ]
    assert not upward, f"{path.relative_to(PACKAGE)} imports from a higher layer: {upward}"


def beside(paths: dict[str, list[Path]]) -> dict[str, set[str]]:
    """Each part of the package with the others that it imports."""
    return {
        part: {
            part_of(module)
            for path in of_it
            for module, _ in imports_of(path)
            if module.startswith("threegaps.") and part_of(module) != part
        }
        for part, of_it in paths.items()
    }


def circles(graph: dict[str, set[str]]) -> set[str]:
    """The parts from which imports lead back to themselves."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            new = graph.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    return {part for part in graph if part in reached(part)}


def test_parts_of_one_layer_import_each_other_in_no_circle() -> None:
    parts: dict[str, list[Path]] = {}
    for path in modules():
        parts.setdefault(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), []).append(path)
    assert not circles(beside(parts))


def test_a_circle_would_be_seen(tmp_path: Path) -> None:
    texts = {
        "watch": "from threegaps.one_machine import processes",
        "one_machine": "def late():\n    from threegaps.feed_run import land",
        "feed_run": "import threegaps.watch.heartbeat",
        "marts": "from threegaps import watch",
    }
    for part, text in texts.items():
        (tmp_path / f"{part}.py").write_text(text, encoding="utf-8")
    found = circles(beside({part: [tmp_path / f"{part}.py"] for part in texts}))
    assert found == {"watch", "one_machine", "feed_run"}


def test_the_package_never_imports_the_sandbox_or_the_tests() -> None:
    guilty = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in modules()
        for module, line in imports_of(path)
        if module.split(".")[0] in {"tests", "benchmarks"}
        # The services start the stand-in departments; nothing else knows of them.
        or (module.split(".")[0] == "sandbox" and path.relative_to(PACKAGE).parts[0] not in {"one_machine", "cli"})
    ]
    assert not guilty


def imported_when_parsed(start: Path) -> dict[str, str]:
    """Outside modules that importing *start* runs at once, each with the file that asks for it."""
    found: dict[str, str] = {}
    seen: set[Path] = set()
    queue = [start]
    while queue:
        path = queue.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for module, _ in imports_of(path, anywhere=False):
            if not module.startswith("threegaps"):
                found.setdefault(module.split(".")[0], path.name)
                continue
            parts = module.split(".")[1:]
            for depth in range(len(parts) + 1):
                base = PACKAGE.joinpath(*parts[:depth])
                queue += [base.with_suffix(".py"), base / "__init__.py"]
    return found


def test_dag_files_and_plugin_stay_light() -> None:
    root = PACKAGE.parents[1]
    entries = [*sorted((root / "dags").glob("*.py")), *sorted((root / "plugins").glob("*.py"))]
    assert entries, "no DAG file found"
    heavy = {
        f"{entry.name}: {module} (through {through})"
        for entry in entries
        for module, through in imported_when_parsed(entry).items()
        if module in HEAVY
    }
    assert not heavy


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text("from threegaps import cli\n\ndef late():\n    import threegaps.marts.claim\n", encoding="utf-8")
    assert [module for module, _ in imports_of(probe)] == ["threegaps.cli", "threegaps.marts.claim"]
    assert [module for module, _ in imports_of(probe, anywhere=False)] == ["threegaps.cli"]
