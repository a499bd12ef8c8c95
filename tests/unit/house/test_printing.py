"""What is shown goes through one place, where control characters of others' texts are made visible."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from threegaps.settings import Settings

PACKAGE = Settings.load().root / "plugins" / "threegaps"
# The two places that write, and the one that wraps the streams.
WRITERS = frozenset({"standards/visible.py", "cli/output.py", "cli/streams.py"})
STREAMS = frozenset({"stdout", "stderr", "__stdout__", "__stderr__"})


def writes_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines of *tree* that write to a terminal by themselves, and how."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in {"print", "Console", "pprint"}:
                yield node.lineno, called.id
            elif isinstance(called, ast.Attribute) and called.attr in {"echo", "secho", "print_exc", "Console"}:
                yield node.lineno, called.attr
        if (
            isinstance(node, ast.Attribute)
            and node.attr in {"write", "writelines"}
            and isinstance(node.value, ast.Attribute)
            and node.value.attr in STREAMS
        ):
            yield node.lineno, f"{node.value.attr}.{node.attr}"
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "buffer"
            and isinstance(node.value, ast.Attribute)
            and node.value.attr in STREAMS
        ):
            yield node.lineno, "buffer"


def test_nobody_prints_around_the_one_place() -> None:
    around = [
        f"{path.relative_to(PACKAGE).as_posix()}:{line} {how}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in WRITERS
        for line, how in writes_of(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not around, "print through threegaps.cli.output, or threegaps.standards.visible.say below it"


def test_each_way_around_is_found(tmp_path: Path) -> None:
    source = (
        "print(1)\nsys.stdout.write('a')\nsys.stderr.writelines([])\ntyper.echo('a')\nclick.secho('a')\n"
        "Console()\nrich.console.Console()\nsys.stdout.buffer.write(b'')\n"
        "traceback.print_exc()\nwriter = sys.stdout.write\n"
    )
    assert {line for line, _ in writes_of(ast.parse(source))} == set(range(1, 11))


def test_no_text_of_another_is_markup() -> None:
    """A console with markup would read `[link=...]` in a file's name as a command of its own."""
    asking = [
        f"{path.name}:{node.lineno}"
        for path in sorted((PACKAGE / "cli").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg in {"markup", "emoji"}
        if isinstance(node.value, ast.Constant) and node.value.value is True
    ]
    assert not asking


def test_every_log_of_ours_has_its_messages_in_one_line() -> None:
    """`logging.getLogger` is for what belongs to others: ours come from `threegaps.standards.visible.log_of`."""
    ours = [
        f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "visible.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "getLogger"
        if not node.args or ast.unparse(node.args[0]) in {"__name__", "'threegaps'"}
    ]
    assert not ours, "write `log_of(__name__)` in place of `logging.getLogger(__name__)`"
