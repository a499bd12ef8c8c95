"""No error of ours shows the error of a library that was behind it: a task's log prints causes whole."""

from __future__ import annotations

import ast
import json
import traceback
from pathlib import Path

import pytest

from threegaps.errors import FeedError, UnexpectedError

PACKAGE = Path(__file__).parents[3] / "plugins" / "threegaps"
RECEIVED = "王小明 33990019900101001X"


def chained(path: Path) -> list[str]:
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    causes = [(one.lineno, one.cause) for one in found if isinstance(one, ast.Raise) and one.cause is not None]
    return [
        f"{path.relative_to(PACKAGE)}:{line}"
        for line, cause in causes
        if not (isinstance(cause, ast.Constant) and cause.value is None)
    ]


def test_nothing_is_raised_from_the_error_of_a_library() -> None:
    paths = [*PACKAGE.rglob("*.py")]
    assert len(paths) > 150
    assert [found for path in paths for found in chained(path)] == []


def test_an_error_that_a_function_called_by_a_handler_raises_shows_nothing_either() -> None:
    def refuse() -> None:
        raise FeedError("The file is none.", feed="test/rows")

    def read() -> None:
        try:
            json.loads(RECEIVED)
        except ValueError:
            refuse()

    with pytest.raises(FeedError) as raised:
        read()
    assert isinstance(raised.value.__context__, json.JSONDecodeError)
    assert "JSONDecodeError" not in "".join(traceback.format_exception(raised.value))


def test_what_stands_for_an_unforeseen_error_says_where_it_came_up_and_not_its_words() -> None:
    try:
        int(RECEIVED)
    except ValueError as error:
        made = UnexpectedError.of(error, feed="test/rows", file="rows.csv")
    said = "".join(traceback.format_exception(made))
    assert "int(RECEIVED)" in said
    assert f"(ValueError at line {made.__traceback__.tb_lineno} of test_what_stands" in said  # type: ignore[union-attr]
    assert RECEIVED not in said
