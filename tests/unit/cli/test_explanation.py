"""The page of an explanation: every fact under its Chinese and English name, false and zero among them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from threegaps.cli import explanation, output
from threegaps.release.explain import Explanation
from threegaps.release.target_text import target_text

TARGET = {
    "target_date": dt.date(2025, 12, 31), "target_value": Decimal("1.9"), "baseline_date": dt.date(2024, 12, 31),
    "baseline_value": Decimal(0), "basis_zh": "从零起算", "basis_en": "from zero", "plan_version": "report-2025",
    "source_document_zh": "报告", "source_document_en": "report", "is_confirmed": False,
}  # fmt: skip
SAID = {
    "status": "no_target", "status_zh": "无目标", "status_en": "no target", "change_on_year": Decimal("0.0"),
    "change_unit_zh": "%", "change_unit_en": "per cent", "target": TARGET, "target_text": "≤1.9",
    "target_progress": Decimal(0), "rounding": "tens", "is_revised": False, "release_id": 1234,
}  # fmt: skip


def found(**more: Any) -> dict[str, Any]:
    lists: dict[str, Any] = {name: [] for name in explanation.LISTS}
    return dict.fromkeys((field.name for field in dataclasses.fields(Explanation)), None) | lists | SAID | more


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, page: dict[str, Any]) -> str:
    monkeypatch.setattr(output.console, "width", 200)
    explanation.explanation_page(page)
    return capsys.readouterr().out


def test_every_field_has_its_place() -> None:
    names = [field.name for field in dataclasses.fields(Explanation)]
    told = set(explanation._in_words(dict.fromkeys(names, ""))) | {"value"}
    # said within others
    assert told - {"value_text", "value_text_en", "change_unit"} == (
        explanation.FACTS.keys() | explanation.LISTS.keys() | {"target", "target_value"}
    )
    assert explanation._in_words(TARGET).keys() - {"target_value"} == explanation.TARGET.keys() | {"is_confirmed"}


def test_false_and_zero_are_facts_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed(capsys, monkeypatch, found()).splitlines()
    for line in (
        "目标状态 target status: 无目标 · no target", "目标值 target value: ≤1.9", "  基线值 baseline value: 0",
        "  目标有待核对 target yet to be confirmed", "完成率(%) progress (%): 0", "较上年同期 change on year: 0 %",
        "列示精度 rounding: 取整到十 · to tens", "已修订 revised: 否 no", "发布号 release: 1234",
    ):  # fmt: skip
        assert line in said
    assert "no_target" not in "\n".join(said)
    confirmed = printed(capsys, monkeypatch, found(target=TARGET | {"is_confirmed": True}))
    assert "有待核对" not in confirmed


def test_a_long_list_says_how_much_more_there_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [{"feed": "a/b", "source_name": f"{place}.csv", "is_of_own_period": place < 3} for place in range(43)]
    said = printed(capsys, monkeypatch, found(files=files))
    assert "39.csv" in said
    assert "40.csv" not in said
    assert "3 more of 43, the 3 of the figure's own period come first" in said


def test_a_limit_is_written_as_one() -> None:
    assert target_text(Decimal("1.9000"), "down") == "≤1.9"
    assert target_text(Decimal(10000), "up") == "10,000"
    assert target_text(None, "down") is None
