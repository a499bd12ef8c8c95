"""What is a total, a rank or a note, and what only looks like one."""

from __future__ import annotations

import polars as pl

from threegaps.batch.normalise.total_rows import total_rows
from threegaps.contracts.options.normalisations import TotalRows

TOTAL = TotalRows(kind="total_rows", columns=("number", "name"), regex="(合计|小计|总计)[:：]?", reason="total")
NOTE = TotalRows(kind="total_rows", columns=("number",), regex="注[:：].*", reason="note")


def found(rows: list[tuple[str | None, str | None, str | None]], key: tuple[str, ...] = ("uscc",)) -> list[int]:
    frame = pl.DataFrame(rows, schema={"number": pl.String, "name": pl.String, "uscc": pl.String}, orient="row")
    reasons = total_rows((TOTAL, NOTE), dict.fromkeys(key), frame)
    return [] if reasons is None else reasons.is_not_null().arg_true().to_list()


def test_totals_and_notes() -> None:
    rows = [
        ("合计", None, None),
        ("1", "甲", "A"),
        (None, " 小 计：", ""),
        ("注：据实填报", None, None),
        ("总计", "", " "),
    ]
    assert found(rows) == [0, 2, 3, 4]


def test_a_firm_whose_name_is_or_ends_in_a_word_for_a_total_is_a_firm() -> None:
    rows = [("1", "杭州合计", "A"), ("2", "合计信息有限公司", "B"), ("3", "合计", "C"), ("4", "宁波总计", None)]
    assert found(rows) == []


def test_a_label_that_stands_in_the_key_itself_is_no_key() -> None:
    assert found([("合计", None, None), ("3", None, None)], key=("number",)) == [0]


def test_a_total_that_fills_a_part_of_the_key_is_none_the_less_one() -> None:
    assert found([("合计", "20条", None), ("合计", "20条", "A")], key=("name", "uscc")) == [0]


def test_a_row_has_the_first_reason_that_fits() -> None:
    frame = pl.DataFrame({"number": ["合计", "注：合计", "3"], "name": ["合计", None, "甲"], "uscc": [None, None, "A"]})
    reasons = total_rows((TOTAL, NOTE), {"uscc": None}, frame.cast(pl.String))
    assert reasons is not None
    assert reasons.to_list() == ["total", "note", None]


def test_a_number_of_rows_in_the_place_of_a_key_is_no_key() -> None:
    frame = pl.DataFrame({"number": ["合计", "合计"], "name": [None, None], "uscc": ["30", "A" * 18]})
    reasons = total_rows((TOTAL,), {"uscc": "^[0-9A-Z]{18}$"}, frame.cast(pl.String))
    assert reasons is not None
    assert reasons.to_list() == ["total", None]
