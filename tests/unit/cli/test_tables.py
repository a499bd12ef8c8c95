"""Tables for people: both languages where both are known, and nothing cut off on a terminal of 100 columns."""

from __future__ import annotations

import datetime as dt
import decimal
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len

from threegaps.cli import display, output, quarantine, queries, status_page
from threegaps.contracts import loader
from threegaps.contracts.loader import find_contract
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch.looks import batches
from threegaps.watch.readings import StoppedBatch

WIDTH = 100
ZH, EN = "缴费工资(元/月)应大于0且不大于200000", "wage_cny_month is not above 0 and at most 200000"


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.console, "width", WIDTH)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, in one line with single spaces, once no line of it is too long."""
    text = capsys.readouterr().out
    assert max(cell_len(line) for line in text.splitlines()) <= WIDTH
    assert "…" not in text
    return " ".join(text.split())


def batch(**more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("received", "accepted", "refused", "duplicates", "inserted", "changed"), 1_234_567)
    return {"batch_id": 41, "feed": "hrss/employment_registrations", "delivery": "2026-06-03", **counts, **more}


def test_reasons_stand_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    contract = find_contract(Settings.load().contracts_folder, "hrss/wage_records")
    reasons = [
        {"rule": rule.rule, "column": rule.column, "message_zh": rule.message_zh, "message_en": rule.message_en}
        for rule in contract.rules
    ]
    row = {"row_token": "12-345", "feed": contract.feed, "delivery": "2026-06", "county_code": "330106"}
    sent = {column.name: "a[b]c" for column in contract.columns} | {"uscc": None}
    quarantine.refused_page(
        [{**row, "reasons": reasons, "row_data": sent, "refused_at": dt.datetime(2026, 7, 2, tzinfo=SHANGHAI)}]
    )
    text = printed(capsys)
    assert "12-345 hrss/wage_records 2026-06, county 330106, refused 2026-07-02 00:00 +08:00" in text
    assert f"wage_cny_month_range {ZH} · {EN}" in text
    assert "wage_cny_month=a[b]c" in text
    assert "uscc=," in text


def test_a_table_has_both_languages_in_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows([{"rule": "wage_cny_month_range", "message_zh": ZH, "message_en": "too much", "rows": 12}])
    assert printed(capsys) == f"rule message rows wage_cny_month_range {ZH} · too much 12"


def test_a_text_is_folded_and_a_number_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows([batch(message_zh=ZH) | dict.fromkeys(("accepted", "duplicates"))], title="Batches")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Batches"
    assert max(cell_len(line) for line in lines) <= WIDTH
    assert any("1,234,567" in line for line in lines)


def test_what_no_table_can_hold_is_told_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows([batch(unchanged=0, withdrawn=0, stop_rule="batch_columns", message_zh=ZH, message_en=EN)])
    text = printed(capsys)
    assert text.startswith("batch id 41 feed hrss/employment_registrations, delivery 2026-06-03, received 1,234,567,")
    assert text.endswith(f"unchanged 0, withdrawn 0, stop rule batch_columns, message {ZH} · {EN}")


def test_a_wide_terminal_has_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(output.console, "width", 200)
    output.print_rows([batch(message_zh=ZH, message_en=EN), batch(batch_id=42, message_zh=None, message_en=None)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["batch", "id", "feed"]
    assert lines[-1].split()[:2] == ["42", "hrss/employment_registrations"]


def test_one_language_is_enough_where_it_quotes_the_other() -> None:
    assert output.both("处理失败:no space", "no space") == "处理失败:no space"
    assert (output.both(None, EN), output.both(ZH, ""), output.both(None, None)) == (EN, ZH, "")


def test_figures_have_both_names(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "indicator_code": "M01-1",
        "name_zh": "补贴性培训后6个月就业率",
        "name_en": "Employment rate 6 months after subsidised training",
        "breakdown": "skill_level",
        "breakdown_value": "3",
        "period_label": "2026Q2",
        "value": 45.6789,
        "value_text": "约45.7%(暂定)",
        "target_value": decimal.Decimal("36.0000"),
        "direction": "down",
        "status": "on_track",
        "maturity": "provisional",
        "is_published_figure": False,
        "is_target_unconfirmed": True,
    }
    output.console.print(display._figures_table("行动一", [row], synthetic=True))
    text = capsys.readouterr().out
    assert "…" not in text
    assert max(cell_len(line) for line in text.splitlines()) <= WIDTH
    for word in (
        "补贴性培训后6",
        "Employment",
        "subsidised",
        "(skill_level=3)",
        "约45.7%(暂定)",
        "暂定 provisional",
        "有待核对",
        "≤36",
    ):
        assert word in text
    assert "45.6789" not in text
    assert "36.0000" not in text


def test_the_status_page_says_in_both_why_a_batch_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    now = dt.datetime(2026, 7, 21, 10, 0, tzinfo=SHANGHAI)
    batch = StoppedBatch("hrss/wage_records", "2026-06", 41, "stopped", "batch_refused_share", ZH, EN, now)
    (cause,) = batches.stopped([batch], {}, now)
    status_page._show_incident(status_page._as_seen(cause, None, now))
    shown = "".join(capsys.readouterr().out.split())
    assert "".join(f"{ZH} · ".split()) in shown
    assert "".join(EN.split()) in shown
    assert "docs/runbook.md#a-batch-has-stopped-or-failed" in shown


def test_a_feed_is_real_where_its_contract_says_that_its_figures_are_published(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = dict.fromkeys(("batches", "received", "accepted", "refused", "duplicates"), 1)
    answers: dict[str, list[dict[str, Any]]] = {
        queries.FEEDS: [
            {"feed": feed, "last_delivery": "2026Q2", **counts} for feed in ("hrss/yearbook", "statistics/drafts")
        ],
    }
    monkeypatch.setattr(queries, "ask", lambda _, query: answers[query])
    contracts = [SimpleNamespace(feed="hrss/yearbook", is_published=True),
                 SimpleNamespace(feed="statistics/drafts", is_published=False)]  # fmt: skip
    monkeypatch.setattr(loader, "load_contracts", lambda _: contracts)
    display._print_feeds(Settings.load(), synthetic=True)
    text = printed(capsys)
    assert "hrss/yearbook 2026Q2 1 1 1 1 1 真实公布数 real" in text
    assert "statistics/drafts 2026Q2 1 1 1 1 1 合成数据 synthetic" in text


@pytest.mark.parametrize(("rows", "is_cut"), [(2, False), (3, True)])
def test_a_list_that_is_cut_says_so(rows: int, is_cut: bool, capsys: pytest.CaptureFixture[str]) -> None:
    output.answer([{"rule": f"rule_{number}"} for number in range(rows)], as_json=False, limit=2)
    written = printed(capsys)
    assert "rule_1" in written
    assert ("rule_2" in written, "2 of 3 are shown: `--limit 3` shows all." in written) == (False, is_cut)


@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(2026, 7, 1, 18, 30, 5, 999999, tzinfo=dt.UTC),
        dt.datetime(2026, 7, 2, 2, 30, 5, tzinfo=SHANGHAI),
        dt.datetime(2026, 7, 1, 9, 30, 5, tzinfo=dt.timezone(dt.timedelta(hours=-9))),
    ],
)
def test_a_time_is_shanghais_and_says_so(moment: dt.datetime) -> None:
    assert output.cell(moment) == "2026-07-02 02:30 +08:00"
