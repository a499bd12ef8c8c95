"""A moment is written in one form wherever people read it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from threegaps.settings import Settings
from threegaps.standards.moments import clock

PACKAGE = Settings.load().root / "plugins" / "threegaps"
FORM = re.compile(r"""strftime\(\s*["']%Y-%m-%d %H|:%Y-%m-%d %H|isoformat\(\s*sep=|%H:%M[^"']*%z""")
# Lines of logs have seconds, by the clock of the machine; closed pages name Beijing time beside it; a cell of a
# workbook is what a department sent.
OTHERWISE = (
    "standards/moments.py",
    "one_machine/programs.py",
    "watch/service.py",
    "batch/closed_pages.py",
    "batch/decode/xlsx/cells.py",
)


def test_a_moment_has_its_zone() -> None:
    assert clock(dt.datetime(2026, 6, 30, 1, 0, 59, tzinfo=dt.UTC)) == "2026-06-30 09:00 +08:00"


def other_forms(text: str) -> list[str]:
    return FORM.findall(text)


def test_no_module_has_a_form_of_its_own() -> None:
    found = {
        name: forms
        for path in sorted(PACKAGE.rglob("*.py"))
        if (name := Path(path).relative_to(PACKAGE).as_posix()) not in OTHERWISE
        and (forms := other_forms(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_another_form_is_found() -> None:
    assert other_forms('moment.strftime("%Y-%m-%d %H:%M:%S")')
    assert other_forms('f"{moment:%Y-%m-%d %H:%M} (Asia/Shanghai)"')
    assert other_forms('value.isoformat(sep=" ", timespec="seconds")')
