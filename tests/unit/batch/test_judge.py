"""Where each row of a batch ends, and for which reasons."""

from __future__ import annotations

import csv
import gzip
import hmac
import io
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from tests.unit.batch.batches import (
    HEADER,
    KEY,
    ROOT,
    WAGES,
    judge,
    part,
    plain,
    resident_id,
    wage,
    wage_bytes,
)
from threegaps.batch import judge as judging
from threegaps.batch.decode import Part
from threegaps.batch.judge import Judgement
from threegaps.batch.key_hashes import key_hashes, waited_for
from threegaps.batch.verdict import JudgedBlock, Previous
from threegaps.contracts.loader import find_contract
from threegaps.contracts.tables import QUARANTINE_COLUMNS, accepted_columns
from threegaps.errors import FeedError

FAULTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "check digit": ({"resident_id": resident_id(5)[:17] + "?"}, {"resident_id_check_digit"}),
    "day that does not exist": ({"resident_id": "339900199002300010"}, {"resident_id_check_digit"}),
    "scientific notation": ({"resident_id": "3.39900199001010E+17"}, {"resident_id_precision_lost"}),
    "no number": ({"resident_id": ""}, {"resident_id_required"}),
    "split county": ({"work_county_code": "330104"}, {"work_county_code_valid"}),
    "unknown county": ({"work_county_code": "339999"}, {"work_county_code_valid"}),
    "month that does not exist": ({"wage_month": "202513"}, {"wage_month_type"}),
    "day of payment that does not exist": ({"recorded_on": "20250230"}, {"recorded_on_type"}),
    "not a number": ({"wage_cny_month": "待核"}, {"wage_cny_month_type"}),
    "too much": ({"wage_cny_month": "250000"}, {"wage_cny_month_range"}),
    "nothing": ({"wage_cny_month": "0"}, {"wage_cny_month_range"}),
    "said yuan": ({"wage_cny_month": "0.72"}, {"wage_unit_slip"}),
    "said ten thousands": (
        {"wage_cny_month": "7200", "amount_unit": "万元"},
        {"wage_unit_slip", "wage_cny_month_range"},
    ),
    "codes": (
        {"scheme": "999", "payment_type": "05", "industry_code": "Z"},
        {"scheme_code", "payment_type_code", "industry_code_code"},
    ),
    "one field too many": ({"operation": "1,more"}, {"row_shape"}),
}

RIGHT: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "full-width amount": ({"wage_cny_month": "６５４３．２１"}, {"wage_cny_month": "6543.21"}),
    "ten thousands": ({"wage_cny_month": "0.66", "amount_unit": "万元"}, {"wage_cny_month": "6600"}),
    "slashes": ({"recorded_on": "2025/6/3"}, {"recorded_on": "2025-06-03"}),
    "dashes": ({"recorded_on": "2025-06-03"}, {"recorded_on": "2025-06-03"}),
    "full-width date": ({"recorded_on": "２０２５０６０３"}, {"recorded_on": "2025-06-03"}),
    "Excel serial": ({"recorded_on": "45809"}, {"recorded_on": "2025-06-01"}),
    "abolished county": ({"work_county_code": "330103"}, {"work_county_code": "330105"}),
    "functional zone": ({"work_county_code": "金义新区"}, {"work_county_code": "330703"}),
    "missing word": ({"uscc": "无"}, {"uscc": ""}),
    "foreign passport": ({"id_type": "03", "resident_id": "E12345678"}, {"birth_year": "", "sex": ""}),
}


def rows_of(blocks: list[JudgedBlock]) -> list[dict[str, str]]:
    text = b"".join(block.accepted for block in blocks).decode()
    return [dict(zip(accepted_columns(WAGES), row, strict=True)) for row in csv.reader(io.StringIO(text))]


def refused_of(blocks: list[JudgedBlock]) -> list[dict[str, str]]:
    text = b"".join(block.refused for block in blocks).decode()
    return [dict(zip(QUARANTINE_COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(text))]


def rules_of(row: dict[str, str]) -> set[str]:
    return {reason["rule"] for reason in json.loads(row["reasons"])}


@pytest.mark.parametrize("name", FAULTS)
def test_wrong_row_is_refused_for_each_of_its_reasons(name: str) -> None:
    values, rules = FAULTS[name]
    _, blocks = judge([part(wage_bytes(wage(1), wage(2, **values)))])
    (refused,) = refused_of(blocks)
    assert rules_of(refused) == rules
    assert refused["row_token"] == "7-2"
    assert len(rows_of(blocks)) == 1


@pytest.mark.parametrize("name", RIGHT)
def test_row_in_another_declared_style_is_accepted(name: str) -> None:
    values, expected = RIGHT[name]
    _, blocks = judge([part(wage_bytes(wage(1, **values)))])
    assert refused_of(blocks) == []
    (row,) = rows_of(blocks)
    assert {column: row[column] for column in expected} == expected


def test_document_number_is_replaced_everywhere() -> None:
    number = resident_id(1, "19680517")
    _, blocks = judge([part(wage_bytes(wage(1, resident_id=number), wage(1, resident_id=number, scheme="999")))])
    (row,), (refused,) = rows_of(blocks), refused_of(blocks)
    expected = hmac.digest(KEY.secret, number.encode(), "sha256")[:16].hex()
    assert row["person_id"] == expected
    assert (row["birth_year"], row["sex"]) == ("1968", "M")
    assert json.loads(refused["row_data"])["resident_id"] == expected
    assert number not in repr(blocks)


def test_malformed_number_becomes_a_token_of_its_row() -> None:
    _, blocks = judge([part(wage_bytes(wage(1), wage(2, resident_id="33990019900101")))])
    (refused,) = refused_of(blocks)
    assert json.loads(refused["row_data"])["resident_id"] == "<7-2>"


def test_fifteen_digits_and_lower_case_are_the_same_person() -> None:
    long = next(resident_id(number) for number in range(1, 1000) if resident_id(number).endswith("X"))
    short = long[:6] + long[8:17]
    rows = [
        wage(1, resident_id=long),
        wage(1, resident_id=short, scheme="210"),
        wage(1, resident_id=long.lower(), scheme="410"),
    ]
    _, blocks = judge([part(wage_bytes(*rows))])
    assert len({row["person_id"] for row in rows_of(blocks)}) == 1
    assert len(rows_of(blocks)) == 3


def accepted_of(blocks: list[JudgedBlock]) -> int:
    return sum(block.accepted_rows - block.removed_rows for block in blocks)


def standing(blocks: list[JudgedBlock]) -> list[dict[str, str]]:
    """The accepted rows once those that do not stay have been taken away, as the warehouse does."""
    found: list[dict[str, str]] = []
    for block in blocks:
        gone = {row["person_id"] + row["scheme"] for row in rows_of([replace(block, accepted=block.removed)])}
        found = [row for row in found if row["person_id"] + row["scheme"] not in gone]
        found += rows_of([block])
    return found


def test_same_key_twice() -> None:
    rows = [wage(1), wage(2), wage(1), wage(2, wage_cny_month="7000")]
    judgement, blocks = judge([part(wage_bytes(*rows))])
    # Nobody can tell which of the two is right: both go back, whichever came first.
    refused = refused_of(blocks)
    assert [rules_of(row) for row in refused] == [{"key_unique"}, {"key_unique"}]
    assert [row["row_number"] for row in refused] == ["2", "4"]
    # Each names the other by its number, and nothing of what it says.
    reasons = [json.loads(row["reasons"])[0] for row in refused]
    assert [(one["other_row"], one["other_object"]) for one in reasons] == [("4", None), ("2", None)]
    assert all("7000" not in row["reasons"] for row in refused)
    assert [json.loads(row["row_data"])["wage_cny_month"] for row in refused] == ["6543.21", "7000"]
    assert sum(block.duplicate_rows for block in blocks) == 1
    assert [row["_row_number"] for row in standing(blocks)] == ["1"]
    counts = judgement.finish().counts
    assert (counts.received, counts.accepted, counts.refused, counts.duplicates) == (4, 1, 2, 1)


def test_same_key_in_another_style_is_the_same_key() -> None:
    rows = [wage(1), wage(1, wage_month="2025-06-01", recorded_on="2025-06-12")]
    _, blocks = judge([part(wage_bytes(*rows))])
    assert sum(block.duplicate_rows for block in blocks) == 1


def test_uniqueness_holds_across_blocks_and_parts() -> None:
    first = [wage(number % 900, employer_code=f"E{number:08d}") for number in range(400)]
    again = [*first[350:], wage(3, employer_code="E00000003", wage_cny_month="9999")]
    parts = [part(wage_bytes(*first), 7, "a"), part(wage_bytes(*again), 8, "b")]
    _, blocks = judge(parts, block_bytes=4096)
    assert len(blocks) > 10
    assert accepted_of(blocks) == len(standing(blocks)) == 399
    assert sum(block.duplicate_rows for block in blocks) == 50
    found = [(row["landed_object_id"], row["row_number"]) for row in refused_of(blocks)]
    assert found == [("7", "4"), ("8", "51")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_highest_correction_stays_whatever_is_read_first(order: tuple[int, ...]) -> None:
    original = part(wage_bytes(wage(1), wage(2)), 7, "wage_202506_part01of01.csv.gz")
    corrections = [
        part(
            wage_bytes(wage(1, correction_number=number, wage_cny_month=amount)),
            landed,
            f"wage_202506_correction{landed:02d}.csv.gz",
            is_correction=True,
        )
        for landed, number, amount in ((8, "2", "7200"), (9, "1", "7100"))
    ]
    parts = [original, *corrections]
    judgement, blocks = judge([parts[index] for index in order])
    assert {row["wage_cny_month"] for row in standing(blocks)} == {"7200", "6543.21"}
    assert refused_of(blocks) == []
    counts = judgement.finish().counts
    assert (counts.received, counts.accepted, counts.duplicates) == (4, 2, 2)


def test_a_row_corrected_within_its_own_part_stands_as_corrected() -> None:
    rows = [wage(1), wage(1, correction_number="2", wage_cny_month="7000"), wage(1, correction_number="1")]
    _, blocks = judge([part(wage_bytes(*rows))])
    assert [row["wage_cny_month"] for row in standing(blocks)] == ["7000"]
    assert refused_of(blocks) == []


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (lambda row: row[: len(row) // 2], [{"row_shape", "row_readable"}]),  # broken off inside the last row
        (lambda row: f"{row[: len(row) // 2]}\n", [{"row_shape"}]),  # written so: the file goes on to its end
        (lambda row: row, []),  # whole, without a line break at its end
    ],
)
def test_a_file_that_breaks_off_inside_a_row_says_that_it_may_not_be_whole(
    ending: Callable[[str], str], expected: list[set[str]]
) -> None:
    text = f"{HEADER}\n{wage(1)}\n{ending(wage(2))}"
    judgement, blocks = judge([part(gzip.compress(text.encode("gb18030")))])
    judgement.finish()
    assert [rules_of(row) for row in refused_of(blocks)] == expected
    said = [reason["message_zh"] for row in refused_of(blocks) for reason in json.loads(row["reasons"])]
    assert any("文件可能不完整" in message for message in said) == ({"row_shape", "row_readable"} in expected)


def test_a_block_of_nothing_but_misshapen_rows_is_refused_and_counted() -> None:
    judgement, blocks = judge([part(wage_bytes(wage(1, operation="1,more"), wage(2, operation="1,more")))])
    counts = judgement.finish().counts
    assert (counts.received, counts.accepted, counts.refused) == (2, 0, 2)
    assert [rules_of(row) for row in refused_of(blocks)] == [{"row_shape"}] * 2


def test_counts_balance_and_great_expectations_agrees_on_a_dirty_batch() -> None:
    generator = random.Random(20250527)
    rows = []
    for number in range(600):
        values = generator.choice(
            [{}] * 8 + [fault for fault, _ in FAULTS.values()] + [style for style, _ in RIGHT.values()]
        )
        rows.append(wage(number, employer_code=f"E{number:08d}", **values))
        if generator.random() < 0.05:
            rows.append(rows[-1])
    rows.append("合计" + "," * 14)
    judgement, blocks = judge([part(wage_bytes(*rows))], block_bytes=20_000, previous=Previous(received=600))
    verdict = judgement.finish()
    counts = verdict.counts
    assert counts.physical_lines == len(rows) + 1
    assert counts.structural == 2
    assert counts.physical_lines == counts.structural + counts.received
    assert counts.received == counts.accepted + counts.refused + counts.duplicates
    assert counts.accepted == len(standing(blocks)) == accepted_of(blocks)
    assert counts.refused == len(refused_of(blocks))
    broken = Counter(rule for row in refused_of(blocks) for rule in rules_of(row))
    for check in verdict.checks:
        assert check.is_certified or check.rule in {"row_shape", "row_readable"}
        if check.action == "refuse":
            assert check.unexpected == broken[check.rule]
    assert verdict.stopped_by == "batch_refused_share"
    assert "拒" in (verdict.message_zh or "")


def test_a_refused_row_of_changes_has_a_keyed_hash_of_its_key_and_a_later_row_settles_it() -> None:
    contract = find_contract(ROOT, "hrss/employment_registrations")
    header = ",".join(column.source_name for column in contract.columns)

    def sent(*lines: str) -> Part:
        return part("".join(f"{line}\n" for line in (header, *lines)).encode())

    def spell(number: int, insured: str, employer: str = "E00000001") -> str:
        lived = f"01,{resident_id(number)},330102,111,330102,1"
        return f"{lived},{employer},,01,330105,C,1,{insured},2024-07-01,,2025-01-01 08:00:00,1"

    _, blocks = judge([sent(spell(1, "9"), spell(1, "8"), spell(2, "9"), spell(3, "9", ""))], contract)
    first, same, other, without_key = [row["key_hash"] for row in refused_of(blocks)]
    assert first == same != other
    assert len(first) == 32
    assert without_key == ""
    assert KEY.secret.hex() not in first
    waiting = waited_for([(first, None), (other, None)])
    judgement, _ = judge([sent(spell(1, "1"), spell(3, "1"))], contract, waited_for=waiting)
    assert judgement.finish().settled_keys == {first: 7}


def test_a_refused_row_of_a_whole_delivery_is_known_again_by_its_key_however_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [wage(1, recorded_on="20250230"), wage(2, wage_cny_month="x"), wage(3, resident_id="3.39900199001010E+17")]
    _, blocks = judge([part(wage_bytes(*rows, wage(4)))])
    first, second, without_key = refused_of(blocks)
    assert without_key["key_hash"] == ""
    waiting = [(row["key_hash"], json.loads(row["row_data"])["resident_id"]) for row in (first, second)]
    assert len({key for key, _ in waiting}) == len({person for _, person in waiting}) == 2
    # Wrong in another way, the row is the same; what was left out is none of them.
    again = [wage(1, work_county_code="339999"), *(wage(number) for number in range(4, 40))]
    hashed: list[int] = []

    def counting(*arguments: Any) -> pl.Series:
        hashed.append(len(arguments[-1]))
        return key_hashes(*arguments)

    monkeypatch.setattr(judging, "key_hashes", counting)
    judgement, blocks = judge([part(wage_bytes(*again, wage(2)))], waited_for=waited_for(waiting))
    assert [row["key_hash"] for row in refused_of(blocks)] == [first["key_hash"]]
    assert judgement.finish().settled_keys == {second["key_hash"]: 7}
    assert sum(hashed) == 2, "but for those of the persons that are waited for, no accepted row is hashed"


def test_a_refusal_belongs_to_the_county_that_handles_it_where_the_person_lives_elsewhere() -> None:
    contract = find_contract(ROOT, "hrss/training_enrollments")
    record = {column.source_name: "" for column in contract.columns}

    def county_of_refusal(**said: str) -> str:
        page = json.dumps({"data": {"rows": [record | said]}}).encode()
        _, blocks = judge([part(page, name="pages.jsonl")], contract)
        (row,) = refused_of(blocks)
        return row["county_code"]

    assert county_of_refusal(residenceCounty="330106", handlingCounty="330110") == "330106"
    assert county_of_refusal(residenceCounty="341522", handlingCounty="330110") == "330110"
    assert county_of_refusal(residenceCounty="", handlingCounty="339900", venueCounty="330122") == "330122"
    assert county_of_refusal(residenceCounty="341522", handlingCounty="339900") == "unknown"


def test_a_row_that_another_file_contradicts_names_that_file() -> None:
    first = part(wage_bytes(wage(1), wage(2)))
    second = replace(part(wage_bytes(wage(2, wage_cny_month="7000"), wage(3))), landed_object_id=77)
    _, blocks = judge([first, second])
    reasons = [json.loads(row["reasons"])[0] for row in refused_of(blocks)]
    found = [(one["other_row"], one["other_object"]) for one in reasons]
    assert found == [("1", "77"), ("2", str(first.landed_object_id))]


def test_changes_keep_the_highest_version_of_a_key() -> None:
    contract = find_contract(ROOT, "hrss/employment_registrations")
    header = ",".join(column.source_name for column in contract.columns)

    def spell(updated: str, end: str = "", valid: str = "1", insured: str = "1") -> str:
        lived = f"01,{resident_id(1)},330102,,330102,1"
        return f"{lived},E00000001,,01,330105,C,1,{insured},2024-07-01,{end},{updated},{valid}"

    rows = [
        spell("2025-01-01 08:00:00"),
        spell("2025-02-01 08:00:00", "2025-01-31"),
        spell("2025-02-01 08:00:00", "2025-01-31"),
    ]
    rows.append(spell("2025-02-01 08:00:00", "2025-01-30"))
    content = "".join(f"{line}\n" for line in (header, *rows)).encode()
    judgement, blocks = judge([part(content)], contract)
    # The two that contradict each other are refused; what was valid before them stays.
    assert accepted_of(blocks) == 1
    assert sum(block.duplicate_rows for block in blocks) == 1
    assert [rules_of(row) for row in refused_of(blocks)] == [{"key_unique"}, {"key_unique"}]
    accepted = b"".join(block.accepted for block in blocks).decode()
    assert "2025-01-01 08:00:00.000000+08:00" in accepted
    assert judgement.finish().counts.received == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (wage_bytes(wage(1))[:-12], "cut off"),
        (wage_bytes(wage(1), encoding="utf-8"), "gb18030"),
        (wage_bytes(wage(1), header=HEADER.replace("险种", "险种名称")), "missing scheme .险种.; 1 that"),
        (wage_bytes(wage(1), header=HEADER + ",备注"), "1 that the contract does not know, in position 16"),
        (wage_bytes(header=""), "empty"),
        (b"", "empty"),
    ],
    ids=["truncated", "encoding", "renamed", "new column", "no header", "no byte"],
)
def test_broken_file_is_a_clear_error(content: bytes, said: str) -> None:
    with pytest.raises(FeedError, match=said) as caught:
        judge([part(content)])
    assert caught.value.feed == "hrss/wage_records"
    assert caught.value.file == "wage_202506_part01of01.csv.gz"
    assert caught.value.advice


def test_a_nul_costs_its_row_and_names_the_column() -> None:
    _, blocks = judge([part(wage_bytes(wage(1), wage(2, base_limit="\0"), wage(3)))])
    assert accepted_of(blocks) == 2
    (row,) = refused_of(blocks)
    assert rules_of(row) == {"row_readable"}
    assert "base_limit holds a NUL" in row["reasons"]


def test_a_row_that_cannot_be_read_is_looked_through_for_identity_numbers_too() -> None:
    number = resident_id(5)
    _, blocks = judge([part(wage_bytes(wage(1), wage(2, employer_code=f"E{number}", base_limit="\0")))])
    (row,) = refused_of(blocks)
    assert rules_of(row) == {"row_readable", "identity_in_text"}
    assert number not in "".join(row.values())


def test_finish_before_the_end_is_refused() -> None:
    judgement = Judgement(WAGES, [part(wage_bytes(wage(1)))], batch_id=1, delivery="2025-06", key=KEY)
    with pytest.raises(FeedError, match="end"):
        judgement.finish()


def test_touched_counties_and_months() -> None:
    judgement, _ = judge([part(wage_bytes(wage(1), wage(2, work_county_code="330105"), wage(3, scheme="999")))])
    assert {(county, str(first), str(last)) for county, first, last in judgement.finish().touched} == {
        ("330102", "2025-06-01", "2025-06-30"),
        ("330105", "2025-06-01", "2025-06-30"),
    }


def test_plain_file_gives_the_same_as_the_delivered_one() -> None:
    rows = [wage(number, employer_code=f"E{number:08d}") for number in range(50)] + [wage(7, scheme="999")]
    _, delivered = judge([part(wage_bytes(*rows))])
    text = "".join(f"{line}\n" for line in (HEADER, *rows)).encode()
    _, utf8 = judge([part(text)], plain(WAGES, encoding="utf-8", compression="none"))
    assert delivered == utf8


def test_bytes_that_are_not_utf8_cost_their_row_or_the_file() -> None:
    def content(*places: int) -> bytes:
        lines = [line.encode() for line in (HEADER, wage(1), wage(2), wage(3))]
        for place in places:
            lines[place] = lines[place].replace("元".encode(), b"\xd4\xff").replace("险种".encode(), b"\xcf\xd5")
        return b"\n".join(lines) + b"\n"

    contract = plain(WAGES, encoding="utf-8", compression="none")
    _, blocks = judge([part(content(2))], contract)
    assert accepted_of(blocks) == 2
    (row,) = refused_of(blocks)
    assert rules_of(row) == {"row_readable"}
    for places, said in (((0,), 0), ((1, 2, 3), 1)):
        with pytest.raises(FeedError, match="not utf-8") as caught:
            judge([part(content(*places))], contract)
        assert caught.value.row == said
