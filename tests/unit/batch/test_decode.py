"""What departments send, in each declared form, as text."""

from __future__ import annotations

import datetime as dt
import io
import json

import openpyxl
import pytest

from tests.unit.batch.batches import HEADER, ROOT, WAGES, judge, part, plain, wage
from threegaps.batch.decode import decode
from threegaps.batch.decode.faults import Fault, FaultKind
from threegaps.batch.decode.refusals import refuse_encoding
from threegaps.contracts.loader import find_contract
from threegaps.errors import FeedError
from threegaps.translations import in_both

ENTERPRISES = find_contract(ROOT, "hrss/skill_enterprises")
TRAINING = find_contract(ROOT, "hrss/training_enrollments")
INCOME = find_contract(ROOT, "statistics/resident_income")


def workbook(*rows: list[object], merged: bool = True) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["技能型企业名册"])
    sheet.append(["统计截止2026年6月(合成数据)"])
    sheet.append(["序号", "企业信息", None, "所在地", None, None, "认定情况", None, None, None, "职工情况", None])
    sheet.append(
        [None, "企业名称", "统一社会信用代码", "设区市", "县(市、区)", "行政区划代码", "认定日期", "认定批次", "状态",
         "撤销日期", "职工\n总数", "技能人才数"]
    )  # fmt: skip
    for row in rows:
        sheet.append(row)
    if merged:
        for cells in ("A1:L1", "A2:L2", "A3:A4", "B3:C3", "D3:F3", "G3:J3", "K3:L3"):
            sheet.merge_cells(cells)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def enterprise(**values: object) -> list[object]:
    row = {
        "number": 1, "name": "企业甲", "uscc": "91350100M000100Y43",
        "city": "杭州市", "county": "上城区",
        "code": "330102", "day": "2025-03-01", "round": "第一批", "status": "已认定",
        "revoked": None, "employees": 100, "skilled": 40,
    }  # fmt: skip
    return list((row | values).values())


def test_workbook_with_merged_header_totals_and_notes() -> None:
    content = workbook(
        enterprise(day=dt.date(2025, 3, 1)),
        enterprise(uscc="91350100M000100Y44", day=45717, code=330105, employees="200"),
        ["小计", None, None, "杭州市"],
        [None] * 12,
        enterprise(uscc="91350100M000100Y45", employees="#REF!"),
        ["合计"],
        ["注：合成数据"],
    )
    judgement, blocks = judge([part(content, name="skill_enterprises_2026Q2.xlsx")], ENTERPRISES)
    accepted = b"".join(block.accepted for block in blocks).decode()
    assert "企业甲,91350100M000100Y43,330102,2025-03-01" in accepted
    assert "企业甲,91350100M000100Y44,330105,2025-03-01,第一批,已认定,,200,40" in accepted
    assert sum(block.refused_rows for block in blocks) == 1
    refused = b"".join(block.refused for block in blocks).decode()
    assert "职工总数(人)是公式错误值(第1张工作表K9)" in refused
    assert "employees_required" not in refused
    assert "7-3," in refused
    counts = judgement.finish()
    assert counts.structural_reasons == {"title": 2, "header": 2, "blank": 1, "total": 2, "note": 1}
    assert counts.counts.physical_lines == 11


def test_damaged_workbook() -> None:
    with pytest.raises(FeedError, match="workbook"):
        judge([part(workbook(enterprise())[:500])], ENTERPRISES)


def record(**values: object) -> dict[str, object]:
    row: dict[str, object] = {column.source_name: "" for column in TRAINING.columns}
    return row | {"enrollmentId": "PX20250600000001"} | values


def test_pages_of_an_interface() -> None:
    pages = [[record(), record(durationHours=40)], [record(isOnline=True)]]
    lines = [json.dumps({"status": 1, "data": {"total": 3, "rows": rows}}, ensure_ascii=False) for rows in pages]
    (block,) = decode(TRAINING, part("\n".join(lines).encode()), 1 << 20)
    assert block.row_numbers.to_list() == [1, 2, 3]
    assert block.frame["duration_hours"].to_list() == ["", "40", ""]
    assert block.frame["is_online"].to_list() == ["", "", "1"]


def test_another_encoding_is_named_as_people_and_excel_call_it() -> None:
    with pytest.raises(FeedError) as told:
        refuse_encoding(WAGES, part(b""), "utf-8-sig", 0, found="gb18030")
    assert in_both(told.value.message)[0] == "文件字节不是合同所声明的 utf-8-sig,而是 gb18030。"
    assert in_both(str(told.value.sender_advice))[0] == "请在 Excel 中另存为“CSV UTF-8(逗号分隔)”。"


def test_half_a_page_is_an_error() -> None:
    page = json.dumps({"status": 1, "data": {"rows": [record()]}}).encode()
    with pytest.raises(FeedError, match="Page 1"):
        list(decode(TRAINING, part(page[: len(page) // 2]), 1 << 20))


def test_new_field_of_an_interface_is_counted_and_never_named() -> None:
    page = json.dumps({"status": 1, "data": {"rows": [record(surprise="1")]}}).encode()
    with pytest.raises(FeedError, match="1 that the contract does not know") as error:
        list(decode(TRAINING, part(page), 1 << 20))
    assert "surprise" not in str(error.value)


@pytest.mark.parametrize(
    ("escape", "kind"),
    [
        ("\\u0000", FaultKind.NUL),
        ("\\ud800", FaultKind.HALF_CHARACTER),
        ("\\uDBFF", FaultKind.HALF_CHARACTER),
    ],
)
def test_an_escape_of_what_no_text_can_hold_costs_its_row(escape: str, kind: FaultKind) -> None:
    pages = [[record()], [record(), record(durationHours="four"), record(durationHours="5")]]
    lines = [json.dumps({"status": 1, "data": {"rows": rows}}) for rows in pages]
    content = "\n".join(lines).replace("four", f"4{escape}").encode()
    (block,) = decode(TRAINING, part(content), 1 << 20)
    assert block.row_numbers.to_list() == [1, 2, 4]
    (row,) = block.faulty
    assert (row.row_number, row.line, row.faults) == (3, 2, (Fault(kind, "duration_hours"),))
    assert row.values is not None
    assert row.values["duration_hours"] == "4\ufffd"


def test_escapes_of_whole_characters_are_texts() -> None:
    content = json.dumps({"data": {"rows": [record(durationHours="四\U00020000")]}}).encode()
    assert b"\\ud840" in content
    (block,) = decode(TRAINING, part(content.replace(b'"rows"', b'"note": "\\\\u0000", "rows"')), 1 << 20)
    assert block.frame["duration_hours"].to_list() == ["四\U00020000"]


def test_a_name_that_no_text_can_hold_is_no_column() -> None:
    content = json.dumps({"data": {"rows": [record(four="1")]}}).replace("four", "4\\u0000").encode()
    with pytest.raises(FeedError, match="1 that the contract does not know"):
        list(decode(TRAINING, part(content), 1 << 20))


@pytest.mark.parametrize("depth", [17, 40, 990, 100_000])
@pytest.mark.parametrize("shape", ["lists", "objects", "cut off"])
def test_values_nested_without_end_cost_their_row(depth: int, shape: str) -> None:
    lines = [json.dumps({"data": {"rows": [record()]}}), json.dumps({"data": {"rows": [record(durationHours="four"),
                                                                                      record()]}})]  # fmt: skip
    opened, closed = ('{"a":', "}") if shape == "objects" else ("[", "]")
    value = opened * depth + '"}]"' + closed * (depth - (shape == "cut off"))
    content = "\n".join(lines).replace('"four"', value).encode()
    if shape == "cut off":
        with pytest.raises(FeedError, match="Page 2 cannot be read: cut off or no JSON"):
            list(decode(TRAINING, part(content), 1 << 20))
        return
    (block,) = decode(TRAINING, part(content), 1 << 20)
    assert block.row_numbers.to_list() == [1, 3]
    assert [(row.row_number, row.faults) for row in block.faulty] == [(2, (Fault(FaultKind.NESTED, "duration_hours"),))]


@pytest.mark.parametrize("rows", [b'"rows": null', b'"other": 1', b'"rows": []'])
def test_answers_without_rows_beside_others_that_begin_with_a_byte_order_mark(rows: bytes) -> None:
    mark = b"\xef\xbb\xbf"
    pages = [
        mark + json.dumps({"data": {"rows": [record()]}}).encode(),
        mark + b'{"data": {"total": 1, ' + rows + b"}}",
    ]
    blocks = list(decode(TRAINING, part(b"\n".join(pages) + b"\n"), 1 << 20))
    assert sum(block.frame.height for block in blocks) == 1
    (empty,) = decode(TRAINING, part(pages[1] + b"\n"), 1 << 20)
    assert empty.frame.height == 0


def test_published_incomes_with_labels_subtotals_and_notes() -> None:
    header = ",".join(column.source_name for column in INCOME.columns if column.source_name)
    order = [column.name for column in INCOME.columns if column.source_name]

    def row(**values: str) -> str:
        return ",".join(values.get(name, "") for name in order)

    common = {"definition": "integrated", "basis": "printed", "source_url": "http://example.org/1"}
    lines = [
        header,
        row(area_code="330100", area_name="杭州市", period_label="20203", income_all_cny="48735", **common),
        row(area_name="浙东北"),
        row(
            area_code="金义新区",
            area_name="金义新区",
            period_label="2020年",
            urban_rural_ratio_printed="1.94",
            **common,
        ),
        row(area_name="丽水位次"),
        row(area_name='"注：合成,说明"'),
    ]
    judgement, blocks = judge([part("\n".join(lines).encode())], INCOME)
    accepted = b"".join(block.accepted for block in blocks).decode().splitlines()
    assert accepted[0].startswith("330100,杭州市,20203,2020-01-01,2020-09-30,48735")
    assert accepted[1].startswith("330703,金义新区,2020年,2020-01-01,2020-12-31")
    verdict = judgement.finish()
    assert verdict.structural_reasons == {"header": 1, "subtotal": 1, "rank": 1, "note": 1}
    assert verdict.normalisations["county_codes.area_code"] == 1


def test_quoted_newline_stays_in_its_cell() -> None:
    contract = find_contract(ROOT, "hrss/employment_registrations")
    header = ",".join(column.source_name for column in contract.columns)
    cells = {"employer_code": '"E0001\nsecond"', "start_date": "2024-07-01"}
    rows = [",".join(cells.get(column.name, "1") for column in contract.columns)] * 3
    content = "\n".join([header, *rows, "", "01,too,short"]).encode()
    (block,) = decode(contract, part(content), 1 << 20)
    assert block.frame["employer_code"].to_list() == ["E0001\nsecond"] * 3
    assert [(row.row_number, row.line, row.fields) for row in block.faulty] == [(4, 9, 3)]
    assert block.structural["blank"] == 1


@pytest.mark.usefixtures("usual_field_limit")
@pytest.mark.parametrize("quoted_newlines", [False, True])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("length", [100_001, 140_000, 200_000])
def test_a_field_that_is_too_long_costs_its_row(quoted_newlines: bool, quote: str, length: int) -> None:
    contract = plain(WAGES, encoding="utf-8", compression="none", quoted_newlines=quoted_newlines)
    rows = [wage(1), wage(2, employer_code='"E"'), wage(3, employer_code=f"{quote}{'E' * length}{quote}"), wage(4)]
    (block,) = decode(contract, part("\n".join([HEADER, *rows]).encode(), name="wage.csv"), 1 << 20)
    assert block.row_numbers.to_list() == [1, 2, 4]
    ((row, (fault,)),) = [(row.row_number, row.faults) for row in block.faulty]
    assert (row, fault.kind) == (3, FaultKind.TOO_LONG)


def test_lines_that_end_with_cr_alone_are_refused_as_such() -> None:
    contract = plain(WAGES, encoding="utf-8", compression="none")
    with pytest.raises(FeedError, match="end with CR alone") as error:
        list(decode(contract, part("\r".join([HEADER, wage(1), wage(2)]).encode()), 1 << 20))
    assert (error.value.feed, error.value.row) == (WAGES.feed, 0)
