"""Standard output and error of a command: where their reader goes away, like ``head``, the command ends quietly."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

_LAST_STREAM = 2
CLOSED_PIPE_CODE = 128 + 13
"""How a command ends whose reader went away, like ``head``: as other tools do, which SIGPIPE ends."""


class _QuietStream(io.TextIOWrapper):
    """Standard output or error; where its reader goes away, the command ends quietly, and at its exit too."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            end_with_reader(self)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            end_with_reader(self)


def end_with_reader(stream: Any) -> NoReturn:
    """End the command whose reader has closed *stream*; what is still to be written goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    raise SystemExit(CLOSED_PIPE_CODE)


def guard_streams() -> None:
    """Let this process's own output end quietly with its reader, and write what its encoding lacks as numbers.

    A stream that was closed before the command began is as one that nobody reads.
    """
    _open_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is not io.TextIOWrapper:
            continue  # a test's own
        encoding, by_line, at_once = stream.encoding, stream.line_buffering, stream.write_through
        guarded = _QuietStream(
            stream.detach(), encoding, "backslashreplace", line_buffering=by_line, write_through=at_once
        )
        setattr(sys, name, guarded)


def _open_closed() -> None:
    """Have the numbers of the standard streams taken, lest a file that is opened later stands in for one of them."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _LAST_STREAM:
        os.set_inheritable(number, True)
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
            setattr(sys, name, stream)
