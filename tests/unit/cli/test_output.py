"""What commands show: nothing in it acts on the terminal, and who stops reading ends the command quietly."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from threegaps.cli import output
from threegaps.cli.quarantine import refused_page
from threegaps.cli.streams import CLOSED_PIPE_CODE
from threegaps.errors import FeedError
from threegaps.settings import Settings

SIGNS = "\x1b\x9b\x07\x7f\r\n\t\u202e\u2066\u200b\u2028[/]m;"
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(SIGNS)), max_size=40)


def acting(text: str) -> set[str]:
    """The characters of *text* that a terminal obeys, ends of lines apart."""
    return {one for one in text if (ord(one) < 0x20 and one != "\n") or 0x7F <= ord(one) <= 0x9F}


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))}
    return kept | {"THREEGAPS_HOME": str(home), "PYTHONPATH": str(Settings.load().root / "plugins")} | more


@given(text=TEXTS)
@example(text="\x1b]8;;http://x\x07[link=http://x]here[/link]\x1b[2J")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_was_received_acts_wherever_it_is_shown(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(title=text)
    table.add_column(text)
    table.add_row(text)
    output.console.print(text)
    output.console.print(Text(text), table)
    output.console.rule(text)
    output.errors.print(text, soft_wrap=True)
    output.print_rows([{"name": text, "name_zh": text, "name_en": text, "more": [text]}], title=text)
    output.print_rows([{f"column_{number}": text for number in range(40)}], title=text)
    output.print_rows([], title=text)
    output.write(text)
    output.print_json({"text": text, text: [text]})
    shown = capsys.readouterr()
    assert not acting(shown.out + shown.err)
    shown.out.encode()


def test_a_terminal_obeys_only_our_own_styles(tmp_path: Path) -> None:
    code = """
import sys
from rich.text import Text
from threegaps.cli.output import console, print_rows
for text in sys.argv[1:]:
    console.print(Text(text, style="bold"))
    print_rows([{"a": text}], title=text)
"""
    texts = ["plain", "\x1b]0;title\x07", "\x1b[2J\x1b[31mred", "\x9b2J", "\u202eright to left", "a\rb\bc"]
    terminal, end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *texts], env=environment(tmp_path, TERM="xterm"), stdout=end, stderr=end
    )
    os.close(end)
    shown = b""
    try:
        while block := os.read(terminal, 65536):
            shown += block
    except OSError:
        pass  # a terminal whose other end is closed
    os.close(terminal)
    assert process.wait() == 0
    text = shown.decode().replace("\r\n", "\n")
    assert "\x1b[1mplain\x1b[0m" in text, "nothing is tried: the terminal is written to without styles"
    assert not acting(re.sub("\x1b\\[[13]m|\x1b\\[0m", "", text))
    assert "\u202e" not in text


def test_markup_in_a_text_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.console.print("[red]a[/red] [link=file:///x]b[/link] :warning:")
    assert capsys.readouterr().out == "[red]a[/red] [link=file:///x]b[/link] :warning:\n"


def test_a_value_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows([{"note": "fine\nRelease 9 serves"}])
    assert "fine\\nRelease 9 serves" in capsys.readouterr().out


def test_an_error_cannot_be_made_to_look_like_another(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from threegaps.cli import app

    monkeypatch.setattr(sys, "argv", ["threegaps"])
    with pytest.raises(SystemExit):
        app._fail(FeedError("It cannot be read.", file="a\n\x1b[2Kwhat to do: nothing.csv"))
    assert capsys.readouterr().err.splitlines() == [
        "error: [file a\\n\\x1b[2Kwhat to do: nothing.csv] It cannot be read."
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("feeds", "show", "hrss/wage_records"),
        ("feeds", "show", "hrss/wage_records", "--json"),
        ("--help",),
        ("doctor",),
        ("doctor", "--json"),
        ("release", "show"),
        ("no-such-command",),
    ],
)
def test_who_stops_reading_ends_the_command_quietly(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """The reader is gone before the first byte: the write fails at once, or at the exit."""
    reading, writing = os.pipe()
    errors_reading, errors_writing = os.pipe()
    os.close(reading)
    is_error = arguments[0] in {"release", "no-such-command"}
    process = subprocess.Popen(
        [sys.executable, "-m", "threegaps.cli.app", *arguments],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL if is_error else writing,
        stderr=writing if is_error else errors_writing,
    )
    os.close(writing)
    os.close(errors_writing)
    with os.fdopen(errors_reading) as errors:
        assert errors.read() == ""
    assert process.wait(timeout=120) == CLOSED_PIPE_CODE


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("arguments", "code"), [("status", 2), ("feeds --json", 1), ("doctor", 1), ("--help", 0), ("no-such-command", 2)]
)
def test_a_stream_that_is_closed_from_the_beginning_is_one_that_nobody_reads(
    tmp_path: Path, closed: str, arguments: str, code: int
) -> None:
    command = f"exec '{sys.executable}' -m threegaps.cli.app {arguments} {closed}"
    finished = subprocess.run(
        ["/bin/sh", "-c", command], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert (finished.returncode, "Traceback" in finished.stderr) == (code, False), finished.stderr


def test_a_terminal_that_lacks_letters_is_no_error(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "threegaps.cli.app", "feeds", "show", "hrss/wage_records"],
        env=environment(tmp_path, PYTHONIOENCODING="latin-1"),
        capture_output=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert b"\\u5de5\\u8d44" in finished.stdout


@pytest.mark.parametrize(
    "arguments", [("explain", b"\xff\xfe", "330000", "2025"), ("feeds", "show", b"\xff/\x9b"), (b"\xff",)]
)
def test_bytes_that_are_no_text_are_no_traceback(arguments: tuple[str | bytes, ...], tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "threegaps.cli.app", *arguments],
        env=environment(tmp_path),
        capture_output=True,
        check=False,
    )
    assert finished.returncode != 0
    assert b"Traceback" not in finished.stderr
    assert not acting(finished.stderr.decode())


def test_a_warehouse_that_does_not_answer_is_no_traceback(tmp_path: Path) -> None:
    nowhere = {
        "THREEGAPS_WAREHOUSE_HOST": "127.0.0.1",
        "THREEGAPS_WAREHOUSE_PORT": "1",
        "THREEGAPS_WAREHOUSE_USER": "pipeline",
        "THREEGAPS_WAREHOUSE_PASSWORD": "x",
        "THREEGAPS_WAREHOUSE_DATABASE": "warehouse",
    }
    finished = subprocess.run(
        [sys.executable, "-m", "threegaps.cli.app", "--lang", "en", "batches"],
        env=environment(tmp_path, **nowhere),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[0].startswith("error: The warehouse does not answer as it should")
    assert "File" not in finished.stderr


@pytest.mark.parametrize(("said", "width"), [("", 200), ("80", 80), ("100", 100), ("7", 200), ("wide", 200)])
def test_lines_are_as_wide_as_is_said_where_there_is_no_terminal(said: str, width: int) -> None:
    code = "from threegaps.cli.output import console; print(console.width)"
    variables = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | (
        {"COLUMNS": said} if said else {}
    )
    finished = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert int(finished.stdout) == width


@pytest.mark.parametrize("width", [80, 100, 200])
def test_tables_fit(width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.console, "width", width)
    moment = dt.datetime(2026, 7, 2, 1, 2, 3, tzinfo=dt.UTC)
    row = {"feed": "hrss/technician_school_programmes", "delivery": "2025-2026-1", "rows": 1_234_567, "at": moment}
    output.print_rows([row | {"message_zh": "缴费工资应大于0" * 5, "message_en": "the wage is not above 0 " * 5}])
    shown = capsys.readouterr().out
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert "hrss/technician_school_programmes" in shown
    # The day may stand above the time, and in a paragraph a comma follows.
    assert {"2026-07-02", "09:02", "+08:00"} <= set(shown.replace(",", "").split())


def test_json_is_whole_and_shows_nothing_that_acts(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"a": "\x9b\u202e\x7f𠮷\U000e0041"})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"a": "\x9b\u202e\x7f𠮷\U000e0041"}
    assert "𠮷" in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("width", [40, 62, 80, 100])
@pytest.mark.parametrize(
    "text",
    [
        "The DAG is paused, and they wait until somebody lets it: `threegaps feeds attempts hrss/wage_records` says.",
        "该 DAG 已暂停,要等到有人恢复运行;每次尝试的结果见 `threegaps feeds attempts hrss/wage_records`,原因也在其中。",
        "Held: `threegaps release free --release 12 --by somebody --why checked_with_department` frees all of them.",
    ],
)
def test_a_command_is_never_broken_at_the_end_of_a_line(
    text: str, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    output.PlainConsole(width=width).print(text)
    shown = capsys.readouterr().out
    (command,) = re.findall("`[^`]+`", text)
    assert command in shown
    assert "\ufdd0" not in shown


def test_a_character_of_private_use_in_a_name_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    console = output.PlainConsole(width=80)
    console.print("王\ue000 is asked: `threegaps status`")
    console.print(Text("李\ue000"))
    shown = capsys.readouterr().out
    assert "王\ue000 is asked" in shown
    assert "李\ue000" in shown


def test_a_row_that_contradicts_another_one_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"rule": "key_unique", "column": None, "message_zh": "主键重复", "message_en": "key twice", "other_row": "4"}
    row = {
        "row_token": "7-2",
        "feed": "hrss/wage_records",
        "delivery": "2026-06",
        "county_code": "unknown",
        "refused_at": None,
        "row_data": {},
        "reasons": [said, said | {"other_row": "9", "other_object": "8"}],
    }
    refused_page([row])
    # However wide the terminal is.
    shown = " ".join(capsys.readouterr().out.split())
    assert "(另见数据行4)" in shown
    assert "(see data row 4)" in shown
    assert "(另见另一文件的数据行9) · key twice (see another file's data row 9)" in shown
