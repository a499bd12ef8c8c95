"""How the command line says that something went wrong."""

from __future__ import annotations

import json
import sys

import psycopg
import pytest

from threegaps.cli import app as command_line
from threegaps.errors import FeedError

RECEIVED = "33990019900101001X"


def said(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], str]:
    """What stands on standard output (JSON) and on standard error when a command raises *error*."""

    def fail(**_: object) -> None:
        try:
            int(RECEIVED)
        except ValueError as cause:
            raise error from cause

    monkeypatch.setattr(command_line, "app", fail)
    monkeypatch.setattr(sys, "argv", ["threegaps", "batches", "--json"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 1
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def test_an_error_of_ours_is_said_with_where_and_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = FeedError("The file has no header.", feed="test/rows", file="rows.csv", advice="ask for it again.")
    answer, text = said(error, capsys, monkeypatch)
    assert answer == {
        "error": "The file has no header.",
        "where": "feed test/rows, file rows.csv",
        "advice": "ask for it again.",
    }
    assert RECEIVED not in text


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"cannot convert {RECEIVED}"),
        psycopg.errors.CheckViolation(f"Failing row contains ({RECEIVED})"),
        psycopg.errors.DiskFull(f"COPY rows, line 1: {RECEIVED}"),
        OSError(f"the server says {RECEIVED}"),
    ],
)
def test_the_words_of_a_library_are_not_repeated(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, text = said(error, capsys, monkeypatch)
    assert RECEIVED not in text + json.dumps(answer)
    assert type(error).__name__ in answer["error"]
