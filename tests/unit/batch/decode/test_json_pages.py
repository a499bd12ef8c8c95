"""Answers of an interface: what is wrong with a record is its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.batch.batches import ROOT, part, plain
from threegaps.batch.decode import TextBlock, decode
from threegaps.batch.decode.faults import Fault, FaultKind
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.contracts.options.limits import Limits
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
            rows_at(parse_answer(candidate, "utf-8"), ("data", "rows"))
        except AnswerError as error:
            assert noise.decode("latin-1") not in str(error) or len(noise) < 3  # noqa: PT017


@pytest.mark.parametrize("levels", [33, 1_000, 200_000])
def test_what_is_nested_without_end_is_cut_out_of_an_answer(levels: int) -> None:
    text = '{"data": {"rows": [{"a": ' + "[" * levels + "1" + "]" * levels + ', "b": "]"}, {"a": 2}]}}'
    rows = rows_at(parse_answer(text.encode(), "utf-8"), ("data", "rows"))
    assert rows is not None
    assert (rows[0]["b"], rows[1]["a"]) == ("]", "2")
