"""Answers of an interface: what is wrong with a record is its own."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.batch.batches import ROOT, part, plain
from threegaps.batch.decode import TextBlock, decode
from threegaps.batch.decode.faults import Fault, FaultKind
from threegaps.batch.normalise import Normaliser
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Column, Contract
from threegaps.contracts.options.limits import Limits
from threegaps.contracts.options.sources import Total
from threegaps.errors import FeedError
from threegaps.landing.answers import AnswerError, parse_answer, rows_at

TRAINING = find_contract(ROOT, "hrss/training_enrollments")


def record(number: int = 1, **values: object) -> dict[str, object]:
    row: dict[str, object] = {column.source_name: "" for column in TRAINING.columns if column.headers}
    return row | {"enrollmentId": f"PX{number}"} | values


def page(*records: object) -> bytes:
    return json.dumps({"status": 1, "data": {"total": len(records), "rows": records}}, ensure_ascii=False).encode()


def read(*pages: bytes, contract: Contract = TRAINING, block_bytes: int = 1 << 20) -> list[TextBlock]:
    return list(decode(contract, part(b"\n".join(pages) + b"\n", name="window.jsonl"), block_bytes))


def only(*pages: bytes, **more: Any) -> tuple[list[int], dict[int, tuple[Fault, ...]]]:
    """Numbers of the rows that are whole, and what is wrong with the others."""
    blocks = read(*pages, **more)
    assert sum(block.physical_lines for block in blocks) == sum(block.received for block in blocks)
    whole = [number for block in blocks for number in block.row_numbers]
    return whole, {row.row_number: row.faults for block in blocks for row in block.faulty}


@pytest.mark.parametrize("second", ['"40"', '"41"', "null"])
def test_a_key_that_stands_twice_is_not_settled(second: str) -> None:
    content = page(record(1), record(2, durationHours="40"), record(3))
    content = content.replace(b'"durationHours": "40"', f'"durationHours": "40", "durationHours": {second}'.encode())
    assert only(content) == ([1, 3], {2: (Fault(FaultKind.KEY_TWICE, "duration_hours"),)})


def test_a_key_that_stands_twice_on_the_way_to_the_rows_is_an_error() -> None:
    content = page(record(1)).replace(b'"data": {', b'"data": {"rows": []}, "data": {')
    with pytest.raises(FeedError, match=r"Page 1 cannot be read: the step 'data' of data\.rows stands twice"):
        read(content)


def test_a_key_that_is_missing_from_one_record_is_not_empty() -> None:
    short = {key: value for key, value in record(2).items() if key != "durationHours"}
    pages = page(record(1), short), page(short, record(4, durationHours=None))
    faults = (Fault(FaultKind.KEY_MISSING, "duration_hours"),)
    assert only(*pages) == ([1, 4], {2: faults, 3: faults})
    assert only(*pages, block_bytes=10) == ([1, 4], {2: faults, 3: faults})
    assert only(*pages, contract=plain(TRAINING, missing_keys="no_value")) == ([1, 2, 3, 4], {})
    with pytest.raises(FeedError, match="missing duration_hours"):
        read(page(short, short))


def test_a_key_that_the_contract_does_not_know_is_counted() -> None:
    with pytest.raises(FeedError, match="2 that the contract does not know") as error:
        read(page(record(1)), page(record(2, 证件号="339900199001010018", other="")), block_bytes=10)
    assert "339900" not in str(error.value)


def test_bytes_that_are_no_text_cost_their_record_or_the_file() -> None:
    def content(*wrong: int, rows: int = 3) -> bytes:
        made = page(*(record(number, durationHours=f"h{number}.") for number in range(1, rows + 1)))
        for number in wrong:
            made = made.replace(f"h{number}.".encode(), b"4\xff")
        return made

    assert only(content(2)) == ([1, 3], {2: (Fault(FaultKind.BYTES, "duration_hours"),)})
    with pytest.raises(FeedError, match="not utf-8"):
        read(content(1, 2, 3))
    with pytest.raises(FeedError, match="not utf-8"):
        read(content(*range(1, 60, 2), rows=60))


def test_a_text_that_is_too_long_costs_its_record() -> None:
    bounded = plain(TRAINING, limits=Limits(cell_characters=50))
    found = only(
        page(record(1), record(2, durationHours="4" * 51), record(3, durationHours=["4"] * 30)), contract=bounded
    )
    assert found == ([1], {number: (Fault(FaultKind.TOO_LONG, "duration_hours"),) for number in (2, 3)})


def test_limits_on_answers_and_rows() -> None:
    with pytest.raises(FeedError, match="an answer of more bytes: more than the limit of 100"):
        read(page(record(1)), contract=plain(TRAINING, limits=Limits(answer_bytes=100)))
    with pytest.raises(FeedError, match="more rows: more than the limit of 1"):
        read(page(record(1), record(2)), contract=plain(TRAINING, limits=Limits(rows=1)))
    with pytest.raises(FeedError, match="more bytes: more than the limit of 100"):
        read(page(record(1)), contract=plain(TRAINING, limits=Limits(compressed_bytes=100)))


def test_numbers_keep_their_text() -> None:
    content = page(record(1, durationHours="n")).replace(b'"n"', b"339900199001010018.10")
    (block,) = read(content)
    assert block.frame["duration_hours"].to_list() == ["339900199001010018.10"]


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
                    max_leaves=12))  # fmt: skip
def test_any_value_is_a_text_or_a_fault_of_its_record(value: object) -> None:
    whole, faults = only(page(record(1), record(2, durationHours=value), record(3)))
    assert {1, 3} <= set(whole)
    assert set(faults) <= {2}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 200))
def test_any_bytes_are_an_answer_or_an_error_of_ours(noise: bytes, place: int) -> None:
    content = page(record(1))
    changed = content[:place] + noise + content[place:]
    for candidate in (noise, changed):
        try:
            rows_at(parse_answer(candidate, "utf-8"), ("data", "rows"), announced=None, came=0, silence="null")
        except AnswerError as error:
            assert noise.decode("latin-1") not in str(error) or len(noise) < 3  # noqa: PT017


@pytest.mark.parametrize("levels", [33, 1_000, 200_000])
def test_what_is_nested_without_end_is_cut_out_of_an_answer(levels: int) -> None:
    text = '{"data": {"rows": [{"a": ' + "[" * levels + "1" + "]" * levels + ', "b": "]"}, {"a": 2}]}}'
    rows = rows_at(parse_answer(text.encode(), "utf-8"), ("data", "rows"), announced=None, came=0, silence="nothing")
    assert (rows[0]["b"], rows[1]["a"]) == ("]", "2")


ANSWERS: dict[str, tuple[str, dict[str, bool]]] = {
    # An answer; whether it holds no rows, by what is known of their number (else it is an error).
    "an empty list": ('{"data": {"rows": []}}', {"page": True, "interface": True, "none": True}),
    "an empty list that is announced": ('{"data": {"rows": [], "total": 0}}', {"page": True}),
    "null": ('{"data": {"rows": null}}', {"page": True, "interface": True, "none": True}),
    "null on the way": ('{"data": null}', {"page": True, "interface": True, "none": True}),
    "null and announced": ('{"data": {"rows": null, "total": 3}}', {"page": False}),
    "null and none announced": ('{"data": {"rows": null, "total": 0}}', {"page": True}),
    "missing": ('{"data": {}}', {"page": False, "interface": True, "none": False}),
    "missing on the way": ('{"status": 1}', {"page": False, "interface": True, "none": False}),
    "missing and announced": ('{"data": {"total": 3}}', {"page": False}),
    "missing and none announced": ('{"data": {"total": 0, "hint": "无"}}', {"page": True}),
    "under another name": ('{"data": {"lisst": [{"a": 1}]}}', {"page": False, "interface": False, "none": False}),
    "under another name beside null": ('{"data": {"rows": null, "list": [{"a": 1}]}}',
                                       {"page": False, "interface": False, "none": False}),
    "elsewhere": ('{"data": null, "result": {"rows": [{"a": 1}]}}', {"page": False, "interface": False, "none": False}),
    "an object": ('{"data": {"rows": {}}}', {"page": False, "interface": False, "none": False}),
    "a text": ('{"data": {"rows": ""}}', {"page": False, "interface": False, "none": False}),
    "no": ('{"data": {"rows": false}}', {"page": False, "interface": False, "none": False}),
    "a list on the way": ('{"data": []}', {"page": False, "interface": False, "none": False}),
    "an error": ('{"code": 500, "message": "x"}', {"page": False, "none": False}),
    "a list of none": ('{"data": {"rows": [null]}}', {"page": False, "interface": False, "none": False}),
}  # fmt: skip


def counted_by(where: str, kind: str = "changes") -> Contract:
    """The contract with the number of rows announced in each page, by an interface of its own, or not at all."""
    total = {"page": Total(path=("data", "total")), "interface": Total(path=("data", "total"), interface="x")}
    source = TRAINING.source.model_copy(update={"total": total.get(where)})
    return dataclasses.replace(TRAINING, source=source, delivery_kind=kind)


@pytest.mark.parametrize(("name", "where"), [(name, where) for name, (_, known) in ANSWERS.items() for where in known])
def test_only_an_answer_that_says_so_holds_no_rows(name: str, where: str) -> None:
    answer, known = ANSWERS[name]
    contract = counted_by(where)
    if known[where]:
        assert [block.received for block in read(answer.encode(), contract=contract)] == [0]
        return
    with pytest.raises(FeedError, match="Page 1"):
        read(answer.encode(), contract=contract)


@pytest.mark.parametrize("answer", ['{"data": {"rows": null}}', '{"data": null}'])
def test_a_full_list_is_never_empty_by_a_null(answer: str) -> None:
    with pytest.raises(FeedError, match="no list of rows at data"):
        read(answer.encode(), contract=counted_by("none", "full_list"))


def test_behind_all_rows_that_are_announced_a_list_may_be_missing() -> None:
    contract = counted_by("page")
    end = '{"data": {"total": %d}}'
    assert only(page(record(1)), (end % 1).encode(), contract=contract) == ([1], {})
    with pytest.raises(FeedError, match="Page 2 cannot be read: no list of rows"):
        read(page(record(1)), (end % 2).encode(), contract=contract)


@pytest.mark.parametrize("column", [column for column in TRAINING.columns if column.headers], ids=lambda one: one.name)
@pytest.mark.parametrize("value", [True, False])
def test_true_is_a_one_only_where_yes_or_no_is_asked_for(column: Column, value: bool) -> None:
    (block,) = read(page(record(1, **{column.source_name: value})))
    said = str(int(value)) if column.logical_type == "boolean" else str(value).lower()
    assert block.frame[column.name].to_list() == [said]
    if column.logical_type not in {"boolean", "string"}:
        assert Normaliser(TRAINING).columns(block.frame)[column.name].typed.to_list() == [None]


@pytest.mark.parametrize("value", [2, -1, 1.5, "true", "yes", [True]])
def test_what_is_neither_yes_nor_no_is_neither(value: object) -> None:
    (block,) = read(page(record(1, isOnline=value)))
    assert Normaliser(TRAINING).columns(block.frame)["is_online"].typed.to_list() == [None]


@pytest.mark.parametrize(("value", "read_as"), [("1", 1), ("1.0", 1), ("1.5", None), ("1e1", None), ("true", None)])
def test_a_whole_number_is_one_however_json_says_it(value: str, read_as: int | None) -> None:
    columns = tuple(
        dataclasses.replace(column, logical_type="integer") if column.name == "duration_hours" else column
        for column in TRAINING.columns
    )
    contract = dataclasses.replace(TRAINING, columns=columns)
    (block,) = read(page(record(1, durationHours="n")).replace(b'"n"', value.encode()), contract=contract)
    assert Normaliser(contract).columns(block.frame)["duration_hours"].typed.to_list() == [read_as]


@pytest.mark.parametrize("marks", [1, 2, 3])
def test_marks_before_an_answer_are_no_part_of_it(marks: int) -> None:
    assert only(b"\xef\xbb\xbf" * marks + page(record(1))) == ([1], {})


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("key", ["durationHours", "occupationCode", "startDate", "isOnline"])
def test_what_is_no_number_is_no_text_either(written: str, key: str) -> None:
    content = page(record(1), record(2, **{key: "n"}), record(3)).replace(b'"n"', written.encode())
    whole, faults = only(content)
    assert whole == [1, 3]
    assert [fault.kind for fault in faults[2]] == [FaultKind.NO_NUMBER]
    assert only(content.replace(written.encode(), f'"{written}"'.encode())) == ([1, 2, 3], {})
