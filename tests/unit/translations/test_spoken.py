"""`--lang` as people use it: help, complaints and errors by real calls of the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from rich.cells import cell_len
from typer.testing import CliRunner

from threegaps import translations
from threegaps.cli import app as command_line
from threegaps.cli.app import app
from threegaps.errors import FeedError
from threegaps.settings import Settings


@pytest.fixture(autouse=True)
def in_both() -> Iterator[None]:
    yield
    translations.use("both")


def told(*arguments: str, **environment: str) -> str:
    """What a call writes, help or complaint, on a terminal of 80 columns."""
    cleared = {"LC_ALL": "C.UTF-8", "THREEGAPS_LANG": "", "COLUMNS": "80", "TERMINAL_WIDTH": "80"}
    answered = CliRunner().invoke(app, list(arguments), env=cleared | environment)
    return answered.output


def words(text: str) -> str:
    """*text* without frames and line ends, which come where the terminal ends."""
    return " ".join(text.translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "both"),
        ({"LANG": "C"}, "both"),
        ({"LANG": "POSIX"}, "both"),
        ({"LANG": "en_US.UTF-8"}, "both"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "C"}, "both"),
        ({"LANG": "C", "LC_ALL": "zh_CN.GB18030"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "THREEGAPS_LANG": "en"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "THREEGAPS_LANG": "both"}, "both"),
        ({"LANG": "C", "THREEGAPS_LANG": "ZH"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "THREEGAPS_LANG": ""}, "zh"),
    ],
)
def test_the_language_without_a_choice_is_the_environments(environment: dict[str, str], language: str) -> None:
    assert translations.asked(["status"], environment) == language
    assert translations.asked(["status", "--lang", "en"], environment) == "en"
    assert translations.asked(["--lang=zh", "status"], environment) == "zh"


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["status", "--lang", "zh"], ["--lang", "zh", "status"]),
        (["release", "--lang=en", "list"], ["--lang=en", "release", "list"]),
        (["--json", "status"], ["--json", "status"]),
        (["explain", "--", "--lang", "zh"], ["explain", "--", "--lang", "zh"]),
        (["status", "--lang"], ["status", "--lang"]),
        ([], []),
    ],
)
def test_the_option_may_stand_anywhere(given: list[str], ordered: list[str]) -> None:
    assert translations.asked_first(given) == ordered


@pytest.mark.parametrize("arguments", [("--lang", "zh", "--help"), ("--help", "--lang=zh"), ("--lang", "zh")])
def test_help_is_chinese_where_it_is_asked_for(arguments: tuple[str, ...]) -> None:
    text = told(*arguments)
    assert "用法: " in text
    assert "选项" in text
    assert "显示本说明并退出" in text
    assert "Usage" not in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_no_chinese_help_is_cut_off() -> None:
    for command in ([], *([name] for name in command_names())):
        text = told("--lang", "zh", *command, "--help")
        assert "…" not in text.replace("……", ""), command
        assert max(cell_len(line) for line in text.splitlines()) <= 80


def command_names() -> list[str]:
    names = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group
    assert len(names) > 10
    return names


def test_help_is_chinese_in_a_chinese_locale_and_by_the_variable() -> None:
    assert "用法: " in told("batches", "--help", LC_ALL="zh_CN.UTF-8")
    assert "用法: " in told("batches", "--help", THREEGAPS_LANG="zh")
    assert "Usage: " in told("batches", "--help", LC_ALL="zh_CN.UTF-8", THREEGAPS_LANG="en")
    assert "Usage: " in told("batches", "--help")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("quarantine", "export"), "缺少参数 'feed'。"),
        (("release", "undo"), "缺少选项 '--note'。"),
        (("nothing",), "没有命令 'nothing'。"),
        (("batches", "--limitt", "3"), "没有选项 --limitt"),
        (("batches", "--limit", "0"), "'--limit' 的值无效: 应不小于 1"),
        (("batches", "--limit", "x"), "'--limit' 的值无效: 应为整数"),
        (("batches", "--limit"), "选项 '--limit' 需要一个值。"),
        (("release", "diff", "1", "2", "3"), "多出参数(3)"),
        (("quarantine", "replay", "a/b", "/nowhere/x.csv"), "'file' 的值无效: 文件 '/nowhere/x.csv' 不存在。"),
        (("release",), "用法: "),
    ],
)
def test_complaints_are_chinese(arguments: tuple[str, ...], said: str) -> None:
    text = words(told("--lang", "zh", *arguments))
    assert said.replace(" ", "") in text.replace(" ", "")
    assert "Usage" not in text
    assert any(word in words(told(*arguments)) for word in ("Usage: ", "Error"))


def test_another_language_is_refused() -> None:
    for text in (told("--lang", "fr"), told("status", "--lang=fr")):
        assert "'fr' is not one of 'zh', 'en', 'both'." in words(text)


def test_every_word_of_typers_is_there_and_is_put_back() -> None:
    from typer import rich_utils

    from threegaps.cli.spoken import _FIXED

    told("--help")
    english = {name: getattr(rich_utils, name) for name in _FIXED}
    told("--lang", "zh", "--help")
    assert [name for name in _FIXED if getattr(rich_utils, name) == english[name]] == []
    told("--help")
    assert {name: getattr(rich_utils, name) for name in _FIXED} == english


def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """Output and errors of `threegaps` with *arguments*, which fails."""
    monkeypatch.setattr(sys, "argv", ["threegaps", *arguments])
    with pytest.raises(SystemExit):
        command_line.main()
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_json_is_the_same_in_every_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    english, _ = called(monkeypatch, capsys, "feeds", "--json")
    chinese, errors = called(monkeypatch, capsys, "--lang", "zh", "feeds", "--json")
    assert chinese == english
    assert json.loads(chinese)["error"] == "The warehouse has no address."
    assert errors.startswith("错误: ")


def test_what_is_put_together_for_machines_has_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    from threegaps.cli import output, status_page

    monkeypatch.setattr(status_page, "collect", lambda _: {"state": "fine", "problems": [output.both("迟到", "late")]})
    answered = CliRunner().invoke(app, ["--lang", "zh", "status", "--json"])
    assert json.loads(answered.output)["problems"] == ["迟到 · late"]


def test_nothing_of_it_is_loaded_where_nothing_is_translated() -> None:
    code = (
        "import sys, threegaps.cli.app as a, threegaps.translations as t;"
        "t.say('x'); print('threegaps.translations.catalogue' in sys.modules, 'typer.rich_utils' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(Settings.load().root / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.split() == ["False", "False"]


def leaves(command: Any) -> Iterator[Any]:
    yield command
    for child in getattr(command, "commands", {}).values():
        yield from leaves(child)


def test_every_help_text_is_found_in_the_source() -> None:
    """The catalogue is filled from the source: what typer shows must be among what is found there."""
    from threegaps.translations.catalogue import Catalogue
    from threegaps.translations.texts import spoken

    found = {text.template for text in spoken()}
    shown = {
        " ".join(part.split())
        for command in leaves(typer.main.get_command(app))
        for one in (command, *command.params)
        for part in (getattr(one, "help", None) or "").split("\n\n")
        if part
    }
    assert len(shown) > 60
    assert shown - found == set()
    assert Catalogue.of("zh").said("Show this message and exit.") == "显示本说明并退出。"


def test_a_mark_before_a_line_stays_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from threegaps.cli import doctor

    records = "3 administrative records, 2 statistical forms, none past its validity"
    services = {"message": "the services do not run", "advice": "`threegaps up` starts them."}
    found = [
        {"name": "forms", "state": "ok", "message": records, "advice": ""},
        {"name": "services", "state": "warning", **services},
    ]
    monkeypatch.setattr(doctor, "examine", lambda _: found)
    text = CliRunner().invoke(app, ["--lang", "zh", "doctor"]).output or capsys.readouterr().out
    assert "✓ 统计报表: 行政记录 3 份,统计报表 2 份,均在有效期内" in text
    assert "! 服务: 服务没有运行\n  处理办法: `threegaps up` 可启动服务。" in text


def test_a_variable_that_names_no_language_falls_back_to_the_locale() -> None:
    assert "用法: " in told("batches", "--help", LC_ALL="zh_CN.UTF-8", THREEGAPS_LANG="klingon")
    refused = told("no-such-command", THREEGAPS_LANG="klingon")
    assert "klingon" not in refused
    assert "no-such-command" in refused


def test_a_message_has_each_language_where_it_belongs() -> None:
    """What the watch notes, and what PostgreSQL and the system say, in the half of the language it goes into."""
    import dataclasses
    import datetime as dt

    from threegaps.ledger.incidents import Cause
    from threegaps.settings import SHANGHAI
    from threegaps.watch import journal
    from threegaps.watch.composing import incident_message
    from threegaps.watch.readings import NotLookedAt
    from threegaps.watch.showing import looks_of

    now = dt.datetime(2026, 7, 21, 10, 0, tzinfo=SHANGHAI)
    incident = journal.new_incident(Cause("feed_late", "a/b", "warning", "迟到", "late", "详", "detail", ("a/b",)), now)
    closed = dataclasses.replace(incident, closed_at=now, closed_by="watch", resolution=journal.GONE)
    zh, _, en = incident_message(closed, "closed", "mail", is_synthetic=False, now=now).text.partition("\n\n")
    assert "已解除:原因已消失。" in zh
    assert en.endswith("closed: the cause is gone.")
    by_hand = dataclasses.replace(closed, closed_by="王值班", resolution=journal.GONE)
    assert incident_message(by_hand, "closed", "mail", is_synthetic=False, now=now).text.count(journal.GONE) == 2
    (look, *_) = looks_of([NotLookedAt("disks", "Permission denied")])
    assert (look.reason_zh, look.reason_en) == ("没有权限", "Permission denied")


def test_what_connections_and_the_system_say_is_said_in_chinese() -> None:
    from threegaps import errors
    from threegaps.translations import in_both

    said = {ours for _, ours in errors._OF_CONNECTIONS} | {"no answer in time"}
    said |= {os.strerror(number) for number in (13, 28, 30, 2, 17, 21, 20, 24, 98, 111, 104, 101, 113, 5, 12, 122)}
    assert {text for text in said if not re.search("[一-鿿]", in_both(text)[0])} == set()


def test_where_an_error_was_is_said_whole() -> None:
    error = FeedError("There is no pseudonym key.", feed="hrss/wage_records", file="r.xlsx", row=3, column="wage_x")
    assert translations.in_both(str(error))[0].startswith("[数据源 hrss/wage_records, 文件 r.xlsx, 行 3, 列 wage_x] ")
