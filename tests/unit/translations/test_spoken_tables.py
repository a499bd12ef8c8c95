"""Tables and pages in the language that is spoken, on a terminal of 80 columns."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from threegaps import labels, translations
from threegaps.cli import display, feeds, output, quarantine, queries
from threegaps.contracts.loader import load_contracts
from threegaps.orchestration.first_run import FeedProgress, Progress
from threegaps.settings import SHANGHAI, Settings
from threegaps.translations import COLUMN, word

WIDTH = 80
BATCH = {
    "batch_id": 41,
    "feed": "hrss/wage_records",
    "delivery": "2026-06",
    "status": "stopped",
    "received": 1_234_567,
    "message_zh": "行数与上期相差过大",
    "message_en": "the number of rows is far from the period before",
}


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """What a call prints in a language."""
    monkeypatch.setattr(output.console, "width", WIDTH)

    def told(language: translations.Language, call: Callable[..., None], *arguments: Any, **more: Any) -> str:
        translations.use(language)
        call(*arguments, **more)
        text = capsys.readouterr().out
        # the lines of progress are not folded: a log holds them
        assert call.__name__ == "shown" or max(cell_len(line) for line in text.splitlines()) <= WIDTH
        return text

    yield told
    translations.use("both")


def test_a_table_is_in_one_language(spoken: Callable[..., str]) -> None:
    chinese = " ".join(spoken("zh", output.print_rows, [BATCH], title="Held back by an undo").split())
    assert chinese.startswith("因撤回而暂扣 批次 数据源 报送期 状态 接收 说明")
    assert "41 hrss/wage_records 2026-06 已停止 1,234,567" in chinese
    assert "period before" not in chinese
    english = spoken("en", output.print_rows, [BATCH], title="Feeds 数据源")
    assert english.startswith("Feeds")
    assert "stopped" in english
    assert not re.search("[一-鿿]", english)
    both = spoken("both", output.print_rows, [BATCH], title="Feeds 数据源")
    assert "数据源" in both
    assert "相差过大" in both
    assert "stopped" in both


def test_where_there_is_no_row_it_is_said(spoken: Callable[..., str]) -> None:
    assert spoken("zh", output.print_rows, [], title="Held back by an undo") == "因撤回而暂扣: 无\n"
    assert spoken("zh", output.print_rows, []) == "无\n"


def test_what_people_and_departments_wrote_is_left_as_it_is(spoken: Callable[..., str]) -> None:
    row = {"note": "all services run", "name": "stopped", "source_name": "none", "is_certified": True}
    assert "all services run stopped none 是" in " ".join(spoken("zh", output.print_rows, [row]).split())


def test_a_list_that_goes_on_says_so(spoken: Callable[..., str]) -> None:
    text = spoken("zh", output.answer, [{"rows": 1}, {"rows": 2}], as_json=False, limit=1)
    assert "共 2 项,列出 1 项" in text
    assert "shown" not in text


def test_a_refused_row_has_its_reasons_in_one_language(spoken: Callable[..., str]) -> None:
    row = {
        "row_token": "12-345",
        "feed": "hrss/wage_records",
        "delivery": "2026-06",
        "county_code": "330106",
        "refused_at": "2026-07-02",
        "reasons": [{"rule": "required", "message_zh": "缺少工资", "message_en": "wage is missing"}],
        "row_data": {"a": "all services run"},
    }
    text = spoken("zh", quarantine.refused_page, [row])
    assert "12-345  hrss/wage_records 2026-06,县 330106,拒收于 2026-07-02" in text
    assert "缺少工资" in text
    assert "missing" not in text
    assert "a=all services run" in text


def test_the_progress_is_in_one_language(spoken: Callable[..., str]) -> None:
    row = FeedProgress("hrss/wage_records", "职工缴费工资", "2026-06", state="running", task="load")
    row.batches, row.received, row.refused = 3, 1000, 2

    def shown() -> None:
        screen = display.Screen()
        with screen.shown():
            screen.services(
                {"steps": [{"name": "x", "title": "ledger of the warehouse 台账", "state": "done", "seconds": 1.5}]}
            )
            screen.progress(Progress(feeds=[row], message="feeds catch up 各数据源补齐", marts_state="running"))

    lines = [line.split("] ")[1].strip() for line in spoken("zh", shown).splitlines()]
    assert lines == [
        "✓ 台账 1.5 s",
        "各数据源补齐",
        "hrss/wage_records 截至 2026-06: 运行中 3 个批次,接收 1,000,拒收 2 load",
        "指标库: 运行中",
    ]
    english = spoken("en", shown)
    assert "✓ ledger of the warehouse 1.5 s" in english
    assert not re.search("[一-鿿]", english)


def columns_asked_for() -> set[str]:
    """The columns that commands ask the warehouse for, by the last word of each item of what is selected."""
    names: set[str] = set()
    for name, query in vars(queries).items():
        if not name.isupper() or not isinstance(query, str):
            continue
        text = re.sub(r"\([^()]*\)", "", re.sub(r"\([^()]*\)", "", re.sub(r"\([^()]*\)", "", query)))
        for selected in re.findall(r"select (?:distinct on\s*)?(.*?)\sfrom\s", text, re.DOTALL):
            items = (re.search(r"(\w+)$", item.strip()) for item in selected.split(","))
            names |= {found[1] for found in items if found}
    return names


def test_every_column_that_commands_show_has_a_chinese_head() -> None:
    shown = {re.sub("_(zh|en)$", "", name) for name in columns_asked_for()} - {"distinct"}
    # what is only looked at, or shown under names of its own
    shown -= {
        "present",
        "delivery_start",
        "delivery_end",
        "matures_after_months",
        "direction",
        "rounding",
        "value_text",
        "change_on_year",
        "target_value",
    }
    shown -= {
        "action_name",
        "is_published_figure",
        "is_target_unconfirmed",
        "maturity",
        "row_data",
        "reasons",
        "status",
    }
    assert len(shown) > 50
    translations.use("zh")
    try:
        without = {name for name in shown if not re.search("[一-鿿]", word(name.replace("_", " "), COLUMN))}
    finally:
        translations.use("both")
    assert without == set()


# What only a machine reads, an option, a name that is looked up, or a fact that is no column.
_NO_COLUMN = """
    a accept_fewer_rows acknowledged_by advice airflow area_name asked_at assigned_to before bi both build by
    calculation cause_key causes caveat change_on_year changed_settings check city closed_by command contract
    critical dag_processor data_are data_as_of database dbname denominator department detail done due_progress duty en
    failed feed_batch_failed feed_failing feed_incomplete feed_late feed_shrinking feed_stopped feed_unreachable feeds
    files fine
    first form_agency held help_option_names hidden incidents indicator_codes is_form_example is_form_expired
    is_of_own_period is_revised it its largest last_beat_at lasting limit marts maturity metadatabase more_logins
    no_rows none not not_loaded not_looked_at notes numerator of ok other_targets pass_seconds password_in pending
    pipeline
    plan_version postgres problems progress_gap province readers refused_share_rising relations releases resolution
    resolution_seconds response_seconds right rounding rows_refused rules runbook running said_before said_since
    sandbox scheduler second seed sends sent_at services skipped source source_document statistician status_note
    statutory_mark success target_progress target_text tens the ticket time_progress triggerer undo user waits
    warning watch without_past wrong zh
"""
NO_COLUMN = set(_NO_COLUMN.split())


def columns_written(module: str) -> set[str]:
    """The names that a module of commands gives to what it shows: keys of a row, and lists of such names."""
    tree = ast.parse((Path(output.__file__).parent / module).read_text(encoding="utf-8"))
    for_machines = {
        id(node)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "print_json"
        for node in ast.walk(call)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in for_machines:
            continue
        keys: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            keys = list(node.keys)
        elif isinstance(node, ast.Tuple) and len(node.elts) > 2 and all(map(_is_text, node.elts)):
            keys = list(node.elts)
        found |= {str(key.value) for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return {re.sub("_(zh|en)$", "", name) for name in found if re.fullmatch("[a-z][a-z_0-9]*", name)}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


# Its lists have both languages in the module itself; what a tool in a container of its own says is not ours.
WITH_OWN_HEADS = {"explanation.py", "contract_test.py"}


@pytest.mark.parametrize(
    "module", sorted(path.name for path in Path(output.__file__).parent.glob("*.py") if path.name not in WITH_OWN_HEADS)
)
def test_every_column_that_a_command_writes_has_a_chinese_head(module: str) -> None:
    translations.use("zh")
    try:
        names = columns_written(module) - NO_COLUMN
        without = {name for name in names if not re.search("[一-鿿]", word(name.replace("_", " "), COLUMN))}
    finally:
        translations.use("both")
    assert without == set()


def test_columns_of_a_module_are_found() -> None:
    assert {"outcome", "made", "message", "due_delivery", "unloaded"} <= columns_written("feeds.py")
    assert {"paused_from", "withdrawn_at"} <= columns_written("pauses.py")


def test_codes_in_tables_are_read_as_their_labels(spoken: Callable[..., str]) -> None:
    assert {"state", "outcome", "cause", "step", "status", "gravity", "change", "kind"} <= set(labels.OF_COLUMNS)
    for column, kind in labels.OF_COLUMNS.items():
        for code, (zh, en) in kind.items():
            for language, said in (("zh", {zh}), ("en", {en}), ("both", {zh, f"{zh} {en}"})):
                text = spoken(language, output.print_rows, [{column: code}])  # the head, and its one cell
                assert " ".join(text.split("\n", 1)[1].split()) in said, (column, code)


def test_an_attempt_is_in_one_language(spoken: Callable[..., str]) -> None:
    row = {
        "started_at": dt.datetime(2026, 7, 2, 9, 0, tzinfo=SHANGHAI),
        "feed": "hrss/wage_records",
        "step": "land",
        "delivery": "2026-06",
        "outcome": "failed",
        "cause": "timed_out",
        "host": "10.1.2.3",
        "port": 22,
        "landed_objects": 0,
        "batches": 0,
        "message_zh": "连接超时",
        "message_en": "no answer in time",
    }
    chinese = " ".join(spoken("zh", output.print_rows, [feeds._attempt_line(row)], title="Attempts").split())
    assert "取数" in chinese
    assert {"失败", "超时"} <= set(re.split("[ ,]+", chinese))
    assert not re.search("failed|timed|step|made", chinese)
    english = spoken("en", output.print_rows, [feeds._attempt_line(row)], title="Attempts")
    assert not re.search("[一-鿿]", english)


def test_a_figure_is_in_one_language(spoken: Callable[..., str]) -> None:
    row = {
        "indicator_code": "M01-1",
        "name_zh": "就业率",
        "name_en": "Employment rate",
        "breakdown": "total",
        "breakdown_value": "total",
        "period_label": "2026Q2",
        "value_text": "约45.7%",
        "value_text_en": "about 45.7%",
        "target_value": None,
        "direction": "up",
        "status": "no_target",
        "maturity": "final",
        "is_published_figure": False,
        "is_target_unconfirmed": False,
    }

    def shown() -> None:
        output.console.print(display._figures_table("x", [row], synthetic=True))

    chinese = " ".join(spoken("zh", shown).split())
    assert chinese == "x 代码 指标 期 值 目标 状态 M01-1 就业率 2026Q2 约45.7% 无目标 合成数据"
    assert not re.search("[一-鿿]", spoken("en", shown))


def test_when_a_feed_is_due_is_said_in_chinese() -> None:
    translations.use("zh")
    try:
        due = {contract.due_day for contract in load_contracts(Settings.load().contracts_folder)}
        assert len(due) > 5
        assert {day for day in due if not re.search("[一-鿿]", translations.say(day))} == set()
    finally:
        translations.use("both")
