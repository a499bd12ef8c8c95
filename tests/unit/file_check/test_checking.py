"""A check before sending finds what the pipeline would: on each feed's fixture, and on files that are spoilt."""

from __future__ import annotations

import ast
import datetime as dt
import errno
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.integration.faults.small_feeds import wage_part, wage_rows
from tests.unit.feeds.feed_fixture import load_fixture
from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.normalise.text_columns import TextColumn
from threegaps.batch.normalise.types import typed_column
from threegaps.calendar import Delivery
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.file_check import check_files, checking
from threegaps.file_check.codes import (
    INCOMPLETE_CODE,
    NAME_CODE,
    NO_ROW_CODE,
    OF_FAULTS,
    OF_FILES,
    OF_RULES,
    PERIOD_CODE,
)
from threegaps.file_check.names import lacking, roles_of
from threegaps.returned import expected_zh
from threegaps.returned.expected import example_for, example_of, form_zh
from threegaps.returned.rows import said_zh
from threegaps.rules.kinds.between import Between
from threegaps.rules.kinds.match_regex import MatchRegex
from threegaps.rules.kinds.text_of_type import PLAIN_WORDS, TextOfType
from threegaps.rules.registry import KINDS
from threegaps.settings import Settings
from threegaps.sources.control_file import MOST_PARTS
from threegaps.standards.identifiers import ResidentIds
from threegaps.translations.texts import PACKAGE

AGREEMENTS = "union/collective_agreements"
CONTRACTS = {contract.feed: contract for contract in load_contracts(Settings.load().contracts_folder)}


def written(folder: Path, files: dict[str, bytes]) -> list[Path]:
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_check_comes_to_what_the_pipeline_comes_to(contract: Contract, tmp_path: Path) -> None:
    fixture = load_fixture(contract)
    paths = written(tmp_path, dict(fixture.files))
    found = check_files(contract, paths, Delivery.parse(contract.cadence, fixture.delivery))
    assert found.counts is not None, found.findings
    counts = {name: getattr(found.counts, name) for name in fixture.counts}
    assert counts == dict(fixture.counts)
    names = [path.name for path in paths]
    refused: dict[tuple[int, int], set[str]] = defaultdict(set)
    for finding in found.findings:
        for place in finding.places:
            assert finding.rule
            refused[names.index(place.file) + 1, place.row_number].add(finding.rule)
            assert place.line is not None
    assert refused == {place: set(rules) for place, rules in fixture.refused.items()}
    assert len(found.rows) == len(refused)


def test_every_fault_has_a_number_of_its_own_that_is_documented() -> None:
    assert OF_FAULTS.keys() == set(FaultKind)
    assert OF_RULES.keys() == KINDS.keys()
    of_all = [NAME_CODE, INCOMPLETE_CODE, NO_ROW_CODE, PERIOD_CODE]
    every = [*OF_FILES.values(), *of_all, *OF_FAULTS.values(), *OF_RULES.values()]
    assert len(set(every)) == len(every)
    for page in ("file-check.md", "file-check.zh.md"):
        text = (Settings.load().root / "docs" / page).read_text(encoding="utf-8")
        assert sorted(re.findall(r"^\| ([A-Z]\d\d) \|", text, re.MULTILINE)) == sorted(every)


WAGES = CONTRACTS["hrss/wage_records"]


def wage_parts(folder: Path, *months: str) -> list[Path]:
    """Parts of June by their names, of which each has right rows of one of these months."""
    return written(
        folder,
        {
            f"wage_202606_part{number:02d}of{len(months):02d}.csv.gz": wage_part(wage_rows(5, month=month))
            for number, month in enumerate(months, 1)
        },
    )


def stops(contract: Contract, paths: list[Path], delivery: str) -> list[tuple[str, str | None, str]]:
    found = check_files(contract, paths, Delivery.parse(contract.cadence, delivery))
    assert (found.outcome == "not_loaded") == any(one.action == "stop" for one in found.findings)
    return [(one.code, one.rule, one.message_en) for one in found.findings if one.action == "stop"]


def test_the_file_of_another_month_stops_as_in_the_pipeline(tmp_path: Path) -> None:
    whole = (PERIOD_CODE, "delivery_period", "no row speaks of 2026-06: this looks like the file of another period.")
    assert stops(WAGES, wage_parts(tmp_path / "other", "202605", "202605"), "2026-06") == [whole]
    assert stops(WAGES, wage_parts(tmp_path / "right", "202606", "202606"), "2026-06") == []
    name = "wage_202606_part02of02.csv.gz"
    part = f"no row of {name} speaks of 2026-06: this looks like a part of another period."
    mixed = wage_parts(tmp_path / "mixed", "202606", "202605")
    assert stops(WAGES, mixed, "2026-06") == [(PERIOD_CODE, "delivery_period", part)]


def test_a_name_announces_no_more_parts_than_a_control_file_may() -> None:
    contract, delivery = CONTRACTS["hrss/wage_records"], Delivery.parse("month", "2024-07")
    roles = roles_of(contract, delivery, [Path("wage_202407_part01of4000000000.csv.gz")])
    *_, last = lacking(contract, delivery, roles)
    assert last.message_en.endswith(f"part0011 and {MOST_PARTS - 11} more.")


def test_a_machine_that_fails_is_said_once_and_ends_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space", str(tmp_path / "threegaps-spool-1"))

    monkeypatch.setattr(checking, "Judgement", full)
    contract = CONTRACTS["union/collective_agreements"]
    fixture = load_fixture(contract)
    paths = written(tmp_path / "sent", dict(fixture.files))
    found = check_files(contract, paths, Delivery.parse(contract.cadence, fixture.delivery))
    assert len(found.findings) == 1
    assert found.outcome == "not_loaded"


def test_a_file_without_a_row_is_not_called_all_in_order(tmp_path: Path) -> None:
    paths = written(tmp_path, {"wage_202606_part01of01.csv.gz": wage_part([])})
    found = check_files(WAGES, paths, Delivery.parse(WAGES.cadence, "2026-06"))
    # Whether or not the control file is there: of no row nothing would be taken later either.
    assert {(one.code, one.action) for one in found.findings} == {("F07", "wait"), (NO_ROW_CODE, "warn")}
    assert found.outcome == "no_rows"


def test_the_expected_value_of_every_column_is_said() -> None:
    for contract in CONTRACTS.values():
        for column in contract.sent_columns:
            assert re.search("[一-鿿]", expected_zh(contract, column)), (contract.feed, column.name)


def test_a_code_that_is_its_own_label_is_said_once() -> None:
    for contract in CONTRACTS.values():
        for column in contract.sent_columns:
            codes = expected_zh(contract, column).partition(";")[0].removeprefix("代码:")
            said = [part.split(" ") for part in codes.split("、")] if column.code_list else []
            assert not [one for one in said if len(one) == 2 and one[0] == one[1]], (contract.feed, column.name)


def test_the_words_that_a_contract_takes_for_yes_and_no_are_asked_for() -> None:
    booleans = 0
    for contract in CONTRACTS.values():
        rules = {rule.columns[0]: rule for rule in contract.rules if isinstance(rule.arguments, TextOfType)}
        for column in contract.columns:
            if column.logical_type != "boolean":
                continue
            booleans += 1
            yes, no = contract.boolean_words.get(column.name, PLAIN_WORDS)
            texts = pl.Series([yes, no, "2"])
            assert typed_column(column, TextColumn(column.name, texts), (yes, no)).typed.to_list() == [
                True,
                False,
                None,
            ]
            rule = rules[column.name]
            assert rule.message_zh.endswith(f"不是“{yes}”或“{no}”"), (contract.feed, column.name)
            assert rule.message_en.endswith(f"is neither {yes} nor {no}"), (contract.feed, column.name)
            if column in contract.sent_columns:
                assert expected_zh(contract, column).startswith(f"{yes}或{no};"), (contract.feed, column.name)
    assert booleans > 15


class Cell:
    """One cell, as a rule reads it."""

    def __init__(self, text: str, logical_type: str) -> None:
        of_type = {
            "date": dt.date.fromisoformat,
            "timestamp": dt.datetime.fromisoformat,
            "integer": int,
            "number": float,
        }
        self.text, self.typed = pl.Series([text]), pl.Series([of_type.get(logical_type, str)(text)])

    def resident_ids(self) -> ResidentIds:
        raise AssertionError("of no column of identity numbers an example is said")

    def judge_texts(self, judge: Callable[[pl.Series], pl.Series]) -> pl.Series:
        return judge(self.text)


def test_each_example_is_taken_by_the_rules_of_its_column() -> None:
    said = 0
    for contract in CONTRACTS.values():
        for column in contract.sent_columns:
            if not (example := example_for(contract, column)):
                continue
            said += 1
            assert f",如 {example};" in expected_zh(contract, column)
            for rule in contract.rules:
                if rule.columns == (column.name,) and rule.kind.unexpected and rule.kind.scope == "row":
                    judged = rule.kind.unexpected({column.name: Cell(example, column.logical_type)}, rule.arguments)
                    assert not judged.any(), (contract.feed, column.name, rule.rule, example)
    assert said > 150


def test_the_form_and_the_range_of_a_column_are_said() -> None:
    in_words = 0
    for contract in CONTRACTS.values():
        for rule in contract.rules:
            column = contract.by_name[rule.columns[0]] if rule.columns else None
            if column is None or rule.action != "refuse" or column not in contract.sent_columns:
                continue
            said = expected_zh(contract, column)
            if isinstance(rule.arguments, MatchRegex):
                form = form_zh(rule.arguments.regex)
                in_words += bool(form)
                assert f"格式:{form or rule.arguments.regex};" in said
                assert example_of(rule.arguments.regex), rule.arguments.regex
            if isinstance(rule.arguments, Between):
                assert all(
                    str(bound) in said for bound in (rule.arguments.min_value, rule.arguments.max_value) if bound
                )
    assert in_words > 60


@pytest.mark.parametrize(
    ("expression", "form"),
    [
        ("^(?:GY|WM)[0-9]{6}$", "“GY”或“WM”+6位数字"),
        ("^[0-9A-Za-z-]{4,32}$", "4至32位数字、字母或“-”"),
        ("^[1-8]-[BI]$", "1位数字(1至8)+“-”+1位“BI”中的字符"),
        ("^[0-9]{2}[LS]?$", ""),
        ("^[0-9]{2,}$", ""),
        ("^0[1-5](,0[1-5])*$", ""),
        ("^[^ ]$", ""),
        ("^a.$", ""),
        ("[0-9]{2}", ""),
    ],
)
def test_a_form_is_said_in_words_only_where_they_say_all_of_it(expression: str, form: str) -> None:
    assert form_zh(expression) == form


@pytest.mark.parametrize(
    ("expression", "example"), [("^(?:GY|WM)[0-9]{3}$", "GY234"), ("^https?://[^ ]+$", "http://a"), ("(?=x)y", "")]
)
def test_an_example_has_the_form(expression: str, example: str) -> None:
    assert example_of(expression) == example


@pytest.mark.parametrize("feed", [AGREEMENTS, "hrss/wage_records"])
def test_the_report_numbers_rows_as_whoever_opens_the_file_sees_them(feed: str, tmp_path: Path) -> None:
    contract = CONTRACTS[feed]
    fixture = load_fixture(contract)
    found = check_files(
        contract, written(tmp_path, dict(fixture.files)), Delivery.parse(contract.cadence, fixture.delivery)
    )
    places = {(one.file, str(one.sheet or ""), str(one.line)) for each in found.findings for one in each.places}
    assert {tuple(row.where) for row in found.rows} == places
    beside = [reason for row in found.rows for reason in row.reasons if reason.get("other_row")]
    assert beside
    for reason in beside:
        assert str(reason["other_line"]) in {line for _, _, line in places}
        assert f"第{reason['other_line']}行" in said_zh(reason)


def test_whoever_sends_a_file_is_told_what_to_do_and_not_to_ask_the_department(tmp_path: Path) -> None:
    delivery = Delivery.parse(CONTRACTS[AGREEMENTS].cadence, "2026Q2")
    paths = written(tmp_path, {"collective_agreements_2026Q2.xlsx": b"PK no workbook"})
    (found,) = [one for one in check_files(CONTRACTS[AGREEMENTS], paths, delivery).findings if one.code == "F01"]
    assert found.advice_en == "save it as an Excel workbook (.xlsx)."
    assert found.advice_zh == "请另存为 Excel 工作簿(.xlsx)。"


def advising() -> list[tuple[str, str, bool]]:
    """Where the modules that read files advise something: the place, the advice, and whether the sender has another."""
    read = [*(PACKAGE / "batch/decode").rglob("*.py"), PACKAGE / "sources/control_file.py"]
    return [
        (f"{path.name}:{node.lineno}", ast.unparse(named["advice"]), "sender_advice" in named)
        for path in sorted(read)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and "advice" in (named := {one.arg: one.value for one in node.keywords})
    ]


@pytest.mark.parametrize(("place", "advice", "is_said_to_sender"), advising())
def test_who_sends_is_not_told_to_ask_the_department_or_to_change_the_contract(
    place: str, advice: str, is_said_to_sender: bool
) -> None:
    is_ours = re.search("the department|of the contract|[Cc]hange the contract", advice)
    assert is_said_to_sender or not is_ours, place
