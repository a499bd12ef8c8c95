"""Every error has one kind of cause, and no library's error on the way to a department is left without one."""

from __future__ import annotations

import ast
import errno
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import paramiko
import pytest

import threegaps
import threegaps.sources.opening
import threegaps.warehouse.load
from threegaps.errors import ThreeGapsError
from threegaps.labels import CAUSES
from threegaps.sources.trouble import reason_of

_PACKAGE = Path(threegaps.__file__).parent


def kinds(of: type[ThreeGapsError] = ThreeGapsError) -> Iterator[type[ThreeGapsError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(dict.fromkeys(kinds())))
def test_every_class_of_errors_has_a_cause(kind: type[ThreeGapsError]) -> None:
    assert kind("It is so.").cause in CAUSES


@cache
def written_causes() -> dict[str, list[str]]:
    """Every cause that is written down in the package, with the files where."""
    found: dict[str, list[str]] = {}
    for path in _PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values: list[ast.expr] = []
            if isinstance(node, ast.keyword) and node.arg == "cause":
                values = [node.value]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                values = node.args[:1]
            for value in values:
                for part in ast.walk(value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found.setdefault(part.value, []).append(path.name)
    return found


def test_causes_that_are_written_down_are_known_and_each_known_one_is_used() -> None:
    by_class = {kind.default_cause for kind in kinds()}
    written = {cause: files for cause, files in written_causes().items() if cause.isidentifier() and "_" in cause}
    assert {cause: files for cause, files in written.items() if cause not in CAUSES} == {}
    assert set(CAUSES) - by_class - set(written_causes()) == set()


def _chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), "unreachable", "refused"),
        (socket.gaierror(-2, "no such name"), "unreachable", "host name"),
        (OSError(errno.EHOSTUNREACH, "no"), "unreachable", "no route"),
        (TimeoutError(), "timed_out", "in time"),
        (ConnectionResetError(errno.ECONNRESET, "no"), "unreachable", "closed"),
        (_chained(httpx.ConnectError("331002199001011234"), ConnectionRefusedError()), "unreachable", "refused"),
        (_chained(paramiko.SSHException("331002199001011234"), EOFError()), "unreachable", "closed"),
        (_chained(paramiko.SSHException("banner"), TimeoutError()), "timed_out", "in time"),
        (
            paramiko.ssh_exception.NoValidConnectionsError({("192.0.2.1", 22): ConnectionRefusedError()}),
            "unreachable",
            "refused",
        ),
        (paramiko.SSHException("331002199001011234"), "unreachable", "SSHException"),
        (httpx.RemoteProtocolError("331002199001011234"), "unreachable", "RemoteProtocolError"),
    ],
)
def test_what_is_behind_a_broken_connection_is_said_in_our_words(error: Exception, cause: str, words: str) -> None:
    reason = reason_of(error)
    assert reason.cause == cause
    assert words in reason.en
    assert reason.zh
    assert "331002" not in reason.en + reason.zh
