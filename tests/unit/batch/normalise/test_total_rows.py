"""What is a total, a rank or a note, and what only looks like one."""

from __future__ import annotations

import polars as pl
import pytest

from tests.unit.batch.batches import ROOT, WAGES, judge, part, wage, wage_bytes
from threegaps.batch.normalise import Normaliser
from threegaps.batch.normalise.total_rows import Needed, total_rows
from threegaps.contracts.loader import find_contract
from threegaps.contracts.options.normalisations import TotalRows

TOTAL = TotalRows(kind="total_rows", columns=("number", "name"), regex="(合计|小计|总计)[:：]?", reason="total")
NOTE = TotalRows(kind="total_rows", columns=("number",), regex="注[:：].*", reason="note")


FORM = "^[0-9A-Z]{18}$"
CODE = "91339900MA0000005J"
NAMES = ("number", "name", "uscc", "county")
Row = tuple[str | None, str | None, str | None, str | None]


def found(
    *rows: Row,
    key: tuple[str, ...] = ("uscc",),
    form: str | None = None,
    others: tuple[str, ...] = (),
    unread: dict[str, list[bool]] | None = None,
) -> list[int]:
    """The rows that are none, by their places; texts are read as they are, but for empty ones."""
    frame = pl.DataFrame(rows, schema=dict.fromkeys(NAMES, pl.String), orient="row")
    reasons = total_rows(
        (TOTAL, NOTE),
        Needed(dict.fromkeys(key, form), others),
        frame,
        lambda some: {one.name: one.replace("", None) for one in some},
        {name: pl.Series(mask) for name, mask in (unread or {}).items()},
    )
    return [] if reasons is None else reasons.is_not_null().arg_true().to_list()


def test_totals_and_notes() -> None:
    assert found(
        ("合计", None, None, None),
        ("1", "甲", "A", "330106"),
        (None, " 小\u3000计：", "", None),
        ("注：据实填报", None, None, None),
        ("总计", "", None, "330106"),
    ) == [0, 2, 3, 4]


@pytest.mark.parametrize("others", [(), ("county",)])
def test_a_firm_whose_name_is_or_ends_in_a_word_for_a_total_is_a_firm(others: tuple[str, ...]) -> None:
    rows: list[Row] = [
        ("1", "杭州合计", "A", "330106"),
        ("2", "合计信息有限公司", "B", None),
        ("3", "合计", "C", None),
        ("合计", "乙", "D", None),
        ("4", "宁波总计", None, None),
    ]
    assert found(*rows, others=others) == []


def test_a_label_that_is_the_whole_key_makes_no_total_of_a_row_that_has_all_else() -> None:
    rows: list[Row] = [
        ("合计", None, None, None),
        ("合计", "甲", "A", "330106"),
        ("小计", "甲", "A", None),
        ("3", None, None, None),
    ]
    assert found(*rows, key=("number",)) == [0]
    assert found(*rows, key=("number",), others=("name", "county")) == [0, 2]


def test_a_total_that_fills_a_part_of_the_key_is_none_the_less_one() -> None:
    assert found(("合计", "20条", None, None), ("合计", "20条", "A", None), key=("name", "uscc")) == [0]


def test_a_row_has_the_first_reason_that_fits() -> None:
    frame = pl.DataFrame({"number": ["合计", "注：合计", "3"], "name": ["合计", None, "甲"], "uscc": [None, None, "A"]})
    reasons = total_rows((TOTAL, NOTE), Needed({"uscc": None}), frame.cast(pl.String), lambda some: some.to_dict())
    assert reasons is not None
    assert reasons.to_list() == ["total", "note", None]


def test_a_number_of_rows_in_the_place_of_a_key_is_no_key_and_a_mistyped_key_of_a_full_row_is_one() -> None:
    rows: list[Row] = [
        ("合计", None, "30", None),
        ("合计", None, CODE, None),
        ("合计", "甲", CODE[:-1], "330106"),
        ("合计", "甲", CODE[:-1], None),
    ]
    assert found(*rows, form=FORM, others=("name", "county")) == [0, 3]


def test_a_key_that_could_not_be_had_is_not_empty() -> None:
    rows: list[Row] = [("合计", None, None, None), ("合计", None, None, None)]
    assert found(*rows, unread={"uscc": [False, True]}) == [0]


CASES = {
    "hrss/skill_enterprises": (
        {"sequence_number": "5", "enterprise_name": "甲公司", "county_code": "330122", "recognised_on": "20250601",
         "recognition_round": "第二批", "status": "已认定", "employees": "10", "skilled_employees": "10"},
        "uscc", ["９1339900MA0000005J", "'91339900MA0000005J", "\u200391339900MA0000005J", "‘９1339900MA0000005J "],
        ["无", "/", " ", "'"],
    ),
    "organisation/prosperity_workshops": (
        {"sequence_number": "5", "county_code": "上城区", "kind": "定向招工式", "established_on": "2019-06-01",
         "status": "运行", "workers": "近20人"},
        "workshop_id", ["ＧＦ00000007", "'GF00000007", "　GF00000007", "ＧＦ００００００８1"],
        ["—", "", "　"],
    ),
}  # fmt: skip
SENT = [(feed, key, sent) for feed, (_, key, written, _) in CASES.items() for sent in written]
LEFT = [(feed, key, sent) for feed, (_, key, _, words) in CASES.items() for sent in words]


def reason_of(feed: str, **sent: str | None) -> str | None:
    contract = find_contract(ROOT, feed)
    row = dict.fromkeys(column.name for column in contract.columns if column.source_name) | CASES[feed][0] | sent
    reasons = Normaliser(contract).structural(
        pl.DataFrame({name: [text] for name, text in row.items()}).cast(pl.String)
    )
    return None if reasons is None else reasons[0]


@pytest.mark.parametrize(("feed", "key", "sent"), SENT)
def test_a_key_is_looked_at_as_it_is_when_it_is_clean(feed: str, key: str, sent: str) -> None:
    assert reason_of(feed, sequence_number="合计", **{key: sent}) is None
    assert reason_of(feed, sequence_number="合计", status=None, **{key: sent}) is None


@pytest.mark.parametrize(("feed", "key", "sent"), LEFT)
def test_a_key_of_which_nothing_is_left_is_empty(feed: str, key: str, sent: str) -> None:
    assert reason_of(feed, sequence_number="合计", **{key: sent}) == "total"


@pytest.mark.parametrize("label", ["合计", " 小 计："])
def test_a_label_in_a_key_of_one_column(label: str) -> None:
    assert reason_of("organisation/prosperity_workshops", workshop_id=label) is None
    assert reason_of("organisation/prosperity_workshops", workshop_id=label, workers=None) == "total"


def test_what_is_read_to_know_a_total_is_not_counted() -> None:
    normaliser = Normaliser(WAGES)
    row = dict(zip((column.name for column in WAGES.columns), wage(1, id_type="合计").split(","), strict=True))
    sent = pl.DataFrame([row | {"employer_code": " 'E00000001"}], schema=dict.fromkeys(row, pl.String))
    assert normaliser.structural(sent) is None
    assert normaliser.counts == {}


def test_a_full_row_under_a_word_for_a_total_is_judged() -> None:
    sent = [wage(1), wage(2, id_type="合计", employer_code="'Ｅ00000002"), "合计,2条" + "," * 13]
    judgement, blocks = judge([part(wage_bytes(*sent))])
    counts = judgement.finish().counts
    assert sum(block.accepted_rows for block in blocks) == 1
    assert (counts.received, counts.refused, counts.structural) == (2, 1, 2)
