"""Sheets that are read, sheets that are not, what is merged in them, and what lies beside the table."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import zipfile
from contextlib import suppress
from importlib.resources import files
from typing import Any

import pytest

from tests.unit.batch.batches import judge, part, plain
from tests.unit.batch.decode.workbooks import (
    COLUMNS,
    ENTERPRISES,
    HEADER,
    only,
    read,
    roster,
    roster_row,
    row,
    sheet,
    text,
    workbook,
)
from threegaps.batch.decode import StructuralLine, decode
from threegaps.contracts.model import Contract, Header
from threegaps.contracts.options.formats import (
    AllSheets,
    FirstSheet,
    MatchingSheets,
    NamedSheets,
    Sheets,
    SheetsOfAnotherFeed,
    SheetsWithoutRows,
)
from threegaps.errors import FeedError

ONE, TWO = roster(roster_row(5)), roster(roster_row(5), roster_row(6))
SECRET = "339900199001010018"


def contract(sheets: Sheets, without: SheetsWithoutRows | None = None, **more: Any) -> Contract:
    return plain(ENTERPRISES, sheets=sheets, sheets_without_rows=without or SheetsWithoutRows(), **more)


FIRST = contract(FirstSheet(by="first"))
EVERY = contract(AllSheets(by="all"))


def test_the_first_sheet_that_can_be_seen_is_read() -> None:
    content = workbook(sheet(), TWO, names=("空", "名册"))
    with pytest.raises(FeedError, match="Sheet 2 of 2 holds 6 rows that nobody reads: the contract has sheet 1 read"):
        read(content, FIRST)
    content = workbook(sheet(row(1, [text("A1", SECRET)])), TWO, names=(SECRET, "名册"), hidden=(1,))
    with pytest.raises(FeedError, match="Sheet 1 of 2, hidden, holds 1 rows") as error:
        read(content, FIRST)
    assert SECRET not in str(error.value)
    without = contract(FirstSheet(by="first"), SheetsWithoutRows(pattern="[0-9]+"))
    block = only(read(content, without))
    assert (block.frame.height, block.sheet) == (2, 2)
    assert read(workbook(TWO, sheet(row(3, ['<c r="A3" s="1"/>']))), FIRST)[0].frame.height == 2


def test_every_sheet_is_read_with_rows_numbered_over_all() -> None:
    blocks = read(workbook(TWO, sheet(), ONE, hidden=(3,)), EVERY)
    assert [(block.sheet, block.row_numbers.to_list()) for block in blocks] == [(1, [1, 2]), (3, [3])]
    assert [block.line_of(0) for block in blocks] == [5, 5]
    with pytest.raises(FeedError, match="columns of sheet 2 are not those of the contract"):
        read(workbook(TWO, sheet(*(row(n, [text(f"A{n}", SECRET)]) for n in range(1, 9)))), EVERY)
    with pytest.raises(FeedError, match="No sheet of the workbook holds any row"):
        read(workbook(sheet(), sheet()), EVERY)
    with pytest.raises(FeedError, match="Sheet 1 ends before its header"):
        read(workbook(sheet(row(1, [text("A1", "名单")]))), EVERY)


def test_a_county_whose_sheet_is_missing_has_not_said_that_it_has_nothing() -> None:
    each = contract(AllSheets(by="all", each_county=True), title_rows=2)
    with files("threegaps.standards").joinpath("reference", "counties.csv").open(encoding="utf-8") as file:
        named = {county["county_code"]: county["county_name"] for county in csv.DictReader(file)}
    two = workbook(ONE, TWO, names=("上城区", "西湖区"))
    with pytest.raises(FeedError, match=r"lacks the sheets of 88 of 90 counties: 330105, 330108, .*331083") as error:
        read(two, each)
    assert error.value.file == "skill_enterprises_2024Q3.xlsx"
    assert {"330102", "330106"}.isdisjoint(str(error.value).split("counties: ")[1].replace(",", "").split())
    assert [block.frame.height for block in read(two, EVERY)] == [1, 2]
    correction = only(list(decode(each, part(workbook(ONE, names=("上城区",)), is_correction=True), 1 << 20)))
    assert correction.frame.height == 1
    # Blank, with its title alone, and with its header: each has been sent. One of old stands for the county of today.
    title = sheet(row(1, [text("A1", "名单")]))
    others = [name for code, name in named.items() if code not in {"330102", "330112"}]
    sheets = [ONE, title, roster(), *[sheet()] * (len(others) - 2)]
    blocks = read(workbook(*sheets, sheet(), names=("上城区", *others, "临安市")), each)
    assert [block.frame.height for block in blocks] == [1, 0]
    with pytest.raises(FeedError, match="lacks the sheets of 1 of 90 counties: 330112"):
        read(workbook(*sheets, names=("上城区", *others)), each)


def test_sheets_by_name_and_by_pattern() -> None:
    content = workbook(ONE, TWO, ONE, names=("上城区", "西湖区", "说明"))
    named = contract(NamedSheets(by="names", names=("上城区", "西湖区")), SheetsWithoutRows(names=("说明",)))
    assert [block.frame.height for block in read(content, named)] == [1, 2]
    lacking = contract(NamedSheets(by="names", names=("上城区", "滨江区")))
    with pytest.raises(FeedError, match="lacks 滨江区"):
        read(content, lacking)
    matching = contract(MatchingSheets(by="pattern", pattern=".+区"))
    with pytest.raises(FeedError, match="Sheet 3 of 3 holds 5 rows"):
        read(content, matching)
    none = contract(MatchingSheets(by="pattern", pattern=".+县"))
    with pytest.raises(FeedError, match="lacks a sheet whose name has the declared form"):
        read(content, none)


def test_a_sheet_that_another_contract_reads_stops_nothing() -> None:
    content = workbook(ONE, TWO, names=("名册", "成员"))
    with pytest.raises(FeedError, match="Sheet 2 of 2 holds 6 rows that nobody reads"):
        read(content, FIRST)
    left = contract(
        FirstSheet(by="first"),
        sheets_of_other_feeds=(SheetsOfAnotherFeed(feed="hrss/members", names=("成员",)),),
    )
    assert only(read(content, left)).sheet == 1


@pytest.mark.parametrize(
    "own", [NamedSheets(by="names", names=("资金预测",)), MatchingSheets(by="pattern", pattern=".*预测")]
)
def test_a_sheet_that_two_contracts_would_leave_to_each_other_stops_the_batch(own: Sheets) -> None:
    shared = contract(own, sheets_of_other_feeds=(SheetsOfAnotherFeed(feed="hrss/funds", pattern="资金.*"),))
    with pytest.raises(FeedError, match="Sheet 2 of 3 has a name that fits the sheets of several feeds"):
        read(workbook(ONE, ONE, ONE, names=("需求预测", "资金预测", "资金")), shared)
    if isinstance(own, MatchingSheets):
        assert only(read(workbook(ONE, ONE, names=("需求预测", "资金")), shared)).sheet == 1


def test_the_sheets_name_is_a_column() -> None:
    columns = tuple(
        dataclasses.replace(column, headers=(), origin="sheet_name") if column.name == "county_name" else column
        for column in ENTERPRISES.columns
    )
    declared = dataclasses.replace(EVERY, columns=columns, by_name={column.name: column for column in columns})
    rows = [roster_row(5, E="")]
    content = workbook(roster(*rows).replace("县(市、区)", ""), roster(*rows).replace("县(市、区)", ""),
                       names=("上城区", " 西湖区&#10;"))  # fmt: skip
    with pytest.raises(FeedError, match="1 that the contract does not know, in position 5"):
        read(content, declared)
    bare = roster(*rows).replace(text("E3", "所在地"), "").replace(text("E4", "县(市、区)"), "")
    bare = bare.replace('r="F', 'r="E').replace('r="G', 'r="F').replace('r="H', 'r="G').replace('r="I', 'r="H')
    bare = bare.replace('r="J', 'r="I').replace('r="K', 'r="J').replace('r="L', 'r="K')
    blocks = read(workbook(bare, bare, names=("上城区", " 西湖区 ")), declared)
    assert [block.frame["county_name"].to_list() for block in blocks] == [["上城区"], ["西湖区"]]


MERGED: dict[str, tuple[str, dict[int, dict[str, str]], dict[str, list[str]], dict[str, list[str]]]] = {
    # The area, what is changed in rows 5 to 7, then by row number the faults where merges are refused and repeated.
    "down a column": ("F5:F7", {6: {"F": ""}, 7: {"F": ""}}, {"2": ["county_code"], "3": ["county_code"]}, {}),
    "down a column whose first cell is empty": ("J5:J6", {}, {}, {}),
    "the same value in each of its cells": ("F5:F6", {}, {"2": ["county_code"]}, {}),
    "another value beneath": ("F5:F6", {6: {"F": text("F6", "330105")}}, {"2": ["county_code"]},
                              {"2": ["county_code"]}),
    "across columns": ("D5:F5", {5: {"E": "", "F": ""}}, {"1": ["county_name", "county_code"]},
                       {"1": ["county_name", "county_code"]}),
    "a block": ("H5:I6", {5: {"I": ""}, 6: {"H": "", "I": ""}},
                {"1": ["status"], "2": ["recognition_round", "status"]},
                {"1": ["status"], "2": ["recognition_round", "status"]}),
    "from the header down": ("F4:F5", {5: {"F": ""}}, {"1": ["county_code"]}, {"1": ["county_code"]}),
    "beside the table": ("N5:O9", {}, {}, {}),
    "of a formula without a value": ("K5:K6", {5: {"K": '<c r="K5"><f>A1</f></c>'}, 6: {"K": ""}},
                                     {"1": ["employees"], "2": ["employees"]},
                                     {"1": ["employees"], "2": ["employees"]}),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["refuse", "repeat"])
@pytest.mark.parametrize("name", MERGED)
def test_what_lies_under_a_merge_is_never_empty(name: str, mode: str) -> None:
    area, changed, refused, repeated = MERGED[name]
    rows = [roster_row(number, **changed.get(number, {})) for number in (5, 6, 7)]
    (block,) = read(workbook(roster(*rows, merges=("A1:L1", area))), contract(AllSheets(by="all"), merged_data=mode))
    found = {str(one.row_number): [fault.column for fault in one.faults] for one in block.faulty}
    assert found == (refused if mode == "refuse" else repeated)
    assert {fault.cell for one in block.faulty for fault in one.faults if fault.kind.name == "MERGED"} <= {area}
    values = block.frame["county_code"].to_list()
    assert values == ["330106"] * (3 - len(block.faulty))


def test_a_total_across_merged_cells_is_a_total() -> None:
    total = row(7, [text("A7", "合计"), '<c r="K7"><v>200</v></c>'])
    content = workbook(roster(roster_row(5), roster_row(6), total, merges=("A7:J7",)))
    judgement, blocks = judge([part(content, name="skill_enterprises_2024Q3.xlsx")], ENTERPRISES)
    verdict = judgement.finish()
    assert sum(block.accepted_rows for block in blocks) == 2
    assert verdict.structural_reasons == {"title": 2, "header": 2, "total": 1}
    assert verdict.counts.refused == 0
    assert [(one.sheet, one.line) for one in verdict.noted_lines if one.reason == "total"] == [(1, 7)]


@pytest.mark.parametrize("merges", [(), ("B7:C7", "D7:F7", "G7:J7", "K7:L7", "A7:A8")], ids=["plain", "merged"])
@pytest.mark.parametrize("space", ["", "\u3000", "\u200b"])
def test_a_header_that_is_repeated_is_no_row(space: str, merges: tuple[str, ...]) -> None:
    again = [
        row(
            number,
            [
                text(f"{letter}{number}", f"{space}{name[0]}{space}{name[1:]}")
                for letter, name in zip(COLUMNS, names, strict=True)
            ],
        )
        for number, names in enumerate(HEADER, 7)
    ]
    block = only(read(workbook(roster(roster_row(5), roster_row(6), *again, roster_row(9), merges=merges))))
    assert block.structural == {"title": 2, "header": 4}
    assert [one.line for one in block.noted if one.reason == "header"] == [3, 4, 7, 8]
    assert block.row_numbers.to_list() == [1, 2, 3]
    assert not block.faulty


def test_a_row_with_the_names_of_some_columns_is_a_row() -> None:
    named = roster_row(6, A=text("A6", "序号"), B=text("B6", "企业名称"))
    block = only(read(workbook(roster(roster_row(5), named))))
    assert block.row_numbers.to_list() == [1, 2]


@pytest.mark.parametrize(
    ("changed", "is_header"),
    [
        ({}, True),
        ({"B": " 企业\u3000信息/单位名称"}, True),
        ({"B": "企业信息/统一社会信用代码"}, False),
        ({"B": ""}, False),
        ({"L": ""}, False),
        ({"A": ""}, False),
    ],
    ids=["as it was", "by an older name", "twice a name", "without one", "without the last", "without the first"],
)
def test_a_header_of_one_row_is_repeated_by_all_of_its_names(changed: dict[str, str], is_header: bool) -> None:
    older = (Header("企业信息/单位名称", valid_to=dt.date(2020, 12, 31)),)
    columns = tuple(
        dataclasses.replace(column, headers=(*older, *column.headers))
        if column.source_name == "企业信息/企业名称"
        else column
        for column in ENTERPRISES.columns
    )
    declared = dataclasses.replace(
        contract(FirstSheet(by="first"), title_rows=0, header_rows=1),
        columns=columns,
        by_name={column.name: column for column in columns},
    )
    names = {
        letter: "/".join(dict.fromkeys(both)) for letter, both in zip(COLUMNS, zip(*HEADER, strict=True), strict=True)
    }

    def head(number: int, texts: dict[str, str]) -> str:
        return row(number, [text(f"{letter}{number}", name) for letter, name in texts.items() if name])

    again = head(3, {**names, **changed})
    block = only(read(workbook(sheet(head(1, names), roster_row(2), again, roster_row(4))), declared))
    assert block.structural == {"header": 2 if is_header else 1}
    assert block.received == (2 if is_header else 3)


def test_rows_of_spaces_are_blank_and_what_stands_beside_the_table_is_seen() -> None:
    spaces = row(6, [text("A6", " \u3000"), text("C6", "\u00a0\u200b"), text("L6", "&#9;")])
    beside = row(9, [text("P9", "审核")])
    too_far = roster_row(10).replace("</row>", f"{text('N10', '备注')}</row>")
    block = only(read(workbook(roster(roster_row(5), spaces, beside, too_far, roster_row(12)))))
    assert block.structural == {"title": 2, "header": 2, "blank": 4, "outside": 1}
    assert block.physical_lines == 12 == block.structural.total() + block.received
    assert StructuralLine("outside", 9, 1) in block.noted
    assert [one.line for one in block.noted if one.reason == "blank"] == [6, 7, 8, 11]
    (wide,) = block.faulty
    assert (wide.row_number, wide.line, wide.fields) == (2, 10, 14)
    assert block.row_numbers.to_list() == [1, 3]


def test_columns_without_a_name_at_the_end_of_the_header_must_be_empty() -> None:
    head = roster(roster_row(5), roster_row(6).replace("</row>", f"{text('M6', 'x')}</row>"))
    head = head.replace('</row><row r="5">', f'{text("M4", " ")}</row><row r="5">')
    block = only(read(workbook(head)))
    assert block.row_numbers.to_list() == [1]
    assert [one.fields for one in block.faulty] == [13]


def test_groups_that_are_not_merged_stand_over_the_columns_up_to_the_next() -> None:
    bare = roster(roster_row(5))
    for letter, name in (("C", "企业信息"), ("E", "所在地"), ("F", "所在地"), ("L", "职工情况")):
        bare = bare.replace(text(f"{letter}3", name), "")
    for letter in "HIJ":
        bare = bare.replace(text(f"{letter}3", "认定情况"), "")
    assert only(read(workbook(bare))).frame.height == 1
    with pytest.raises(FeedError, match="missing status"):
        read(workbook(bare.replace("状态", "情形")))


OTHERS: dict[str, tuple[bytes, str]] = {
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old Excel workbook"),
    "a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 70_000 + "EncryptedPackage".encode("utf-16-le"),
        "a workbook with a password",
    ),
    "text": ("序号,企业名称\n".encode("gb18030"), "text or of an unknown kind"),
    "a web page": (b"<html><table></table></html>", "a web page"),
    "nothing": (b"", "empty"),
    "half an archive": (workbook(ONE)[:-30], "cut off archive"),
    "a damaged directory": (workbook(ONE).replace(b"PK\x01\x02", b"PK\x01\x09"), "damaged or cut off"),
    "a part that is missing": (
        workbook(ONE, parts={"xl/_rels/workbook.xml.rels": b"<Relationships/>"}),
        "sheet 1 is missing",
    ),
    "XML that is cut off": (workbook(ONE[:-30]), "its XML is damaged"),
    "XML of an unknown encoding": (workbook(ONE.replace("UTF-8", "x-unknown")), "its XML is damaged"),
    "no workbook in it": (workbook(ONE, parts={"_rels/.rels": b"<Relationships/>"}), "zip archive without a workbook"),
    "a binary workbook": (workbook(ONE, parts={"xl/workbook.bin": b""}), "binary workbook"),
    "an OpenDocument": (workbook(ONE, parts={"mimetype": b""}), "OpenDocument"),
    "rows out of order": (workbook(roster(roster_row(6), roster_row(5))), "sheet 1: its rows are not in order"),
    "cells out of order": (
        workbook(roster(row(5, [text("B5", "x"), text("A5", "y")]))),
        "cells of row 5 are not in order",
    ),
    "a cell twice": (workbook(roster(row(5, [text("B5", "x"), text("B5", "y")]))), "cells of row 5 are not in order"),
    "a merge that is none": (workbook(roster(roster_row(5), merges=("B9:A1",))), "merged area cannot be read"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_workbook_is_named_with_its_remedy(name: str) -> None:
    content, words = OTHERS[name]
    with pytest.raises(FeedError, match=words) as error:
        read(content)
    assert error.value.feed == ENTERPRISES.feed
    assert error.value.file
    assert error.value.advice


@pytest.mark.parametrize(
    ("name", "advice", "is_of_password"),
    [
        ("half an archive", "send the whole file", False),
        ("a damaged directory", "send the whole file", False),
        ("a password", "without a password", True),
        ("an old workbook", "save it as an Excel workbook", False),
        ("an OpenDocument", "save it as an Excel workbook", False),
    ],
)
def test_each_cause_has_its_own_remedy(name: str, advice: str, is_of_password: bool) -> None:
    with pytest.raises(FeedError) as error:
        read(OTHERS[name][0])
    assert advice in str(error.value.advice)
    assert ("password" in str(error.value.advice)) == is_of_password


def test_an_archive_with_a_password_is_named() -> None:
    content = bytearray(workbook(ONE))
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1
    with pytest.raises(FeedError, match="archive with a password"):
        read(bytes(content))


def test_names_of_parts_may_have_any_slashes_and_case() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(ONE))) as before, zipfile.ZipFile(target, "w") as after:
        for entry in before.infolist():
            after.writestr(entry.filename.replace("worksheets/sheet", "Worksheets\\Sheet"), before.read(entry))
    assert only(read(target.getvalue())).frame.height == 1


def test_any_cut_of_a_workbook_is_an_error_of_ours() -> None:
    content = workbook(TWO, strings="<si><t>x</t></si>")
    for end in range(0, len(content), 7):
        with pytest.raises(FeedError):
            read(content[:end])


def test_any_wrong_byte_is_read_or_an_error_of_ours() -> None:
    content = workbook(TWO, strings="<si><t>x</t></si>")
    whole = 0
    for place in range(0, len(content), 3):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        with suppress(FeedError):
            whole += bool(read(bytes(changed)))
    assert 0 < whole < len(content) // 3
