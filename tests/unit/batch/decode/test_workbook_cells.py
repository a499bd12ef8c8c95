"""What a cell says, by its XML: the value that was meant, or why none can be had."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.batch.decode.workbooks import (
    ENTERPRISES,
    STRICT,
    TRANSITIONAL,
    faults_of,
    only,
    read,
    roster,
    roster_row,
    text,
    workbook,
)
from threegaps.batch.decode.xlsx.cells import CellReader, day_text, number_text, unescaped
from threegaps.batch.decode.xlsx.styles import NumberKind, kind_of_number

STYLES = (
    '<fonts><font><family val="34"/><charset val="no number"/></font></fonts>'
    '<numFmts><numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/>'
    '<numFmt numFmtId="177" formatCode="0.00E+00"/><numFmt numFmtId="178" formatCode="[h]:mm"/>'
    '<numFmt numFmtId="179" formatCode="[$-804]aaaa;@"/>'
    '<numFmt numFmtId="180" formatCode="G/通用格式&quot;元&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="31"/><xf numFmtId="14"/><xf numFmtId="176"/><xf numFmtId="177"/>'
    '<xf numFmtId="178"/><xf numFmtId="10"/><xf numFmtId="22"/><xf numFmtId="180"/><xf numFmtId="20"/></cellXfs>'
)
STRINGS = (
    "<si><t>整体</t></si>"
    "<si><r><rPr><b/></rPr><t xml:space='preserve'>第一</t></r><r><t>批</t></r>"
    "<rPh sb='0' eb='1'><t>读音</t></rPh></si>"
    "<si><t>第_x4E00_批</t></si><si><t>a_x005F_x000D_b</t></si><si><t>x_x0000_</t></si><si><t>x_xD83D_</t></si>"
    "<si><t>_xD83D__xDE00_</t></si><si/>"
)

# What a cell of the recognition round (a text) says: its XML, the text, the fault.
CELLS: dict[str, tuple[str, str | None, str | None]] = {
    "shared text": ('<c r="H5" t="s"><v>0</v></c>', "整体", None),
    "rich text without how it is pronounced": ('<c r="H5" t="s"><v>1</v></c>', "第一批", None),
    "a character that the container encodes": ('<c r="H5" t="s"><v>2</v></c>', "第一批", None),
    "an encoded underscore": ('<c r="H5" t="s"><v>3</v></c>', "a_x000D_b", None),
    "a NUL": ('<c r="H5" t="s"><v>4</v></c>', "x\ufffd", "NUL"),
    "half a character": ('<c r="H5" t="s"><v>5</v></c>', "x\ufffd", "HALF_CHARACTER"),
    "a character in two halves": ('<c r="H5" t="s"><v>6</v></c>', "\U0001f600", None),
    "an empty shared text": ('<c r="H5" t="s"><v>7</v></c>', None, None),
    "a text that there is not": ('<c r="H5" t="s"><v>99</v></c>', None, "UNKNOWN_CELL"),
    "inline rich text": ('<c r="H5" t="inlineStr"><is><r><t>第</t></r><r><t>一</t></r></is></c>', "第一", None),
    "a formula's text": ('<c r="H5" t="str"><f>A1</f><v>第一批</v></c>', "第一批", None),
    "a formula's empty text": ('<c r="H5" t="str"><f>A1</f><v></v></c>', None, None),
    "a formula's text that was not stored": ('<c r="H5" t="str"><f>A1</f></c>', None, "FORMULA"),
    "a formula without a value": ('<c r="H5"><f>A1</f><v/></c>', None, "FORMULA"),
    "a shared formula without a value": ('<c r="H5"><f t="shared" si="0"/></c>', None, "FORMULA"),
    "a formula's number": ('<c r="H5"><f>1+1</f><v>2</v></c>', "2", None),
    "an error": ('<c r="H5" t="e"><v>#N/A</v></c>', None, "FORMULA_ERROR"),
    "a formula's error": ('<c r="H5" t="e"><f>1/0</f><v>#DIV/0!</v></c>', None, "FORMULA_ERROR"),
    "yes": ('<c r="H5" t="b"><v>1</v></c>', "TRUE", None),
    "no": ('<c r="H5" t="b"><v>false</v></c>', "FALSE", None),
    "a formula's yes": ('<c r="H5" t="b"><f>A1=1</f><v>1</v></c>', "TRUE", None),
    "neither yes nor no": ('<c r="H5" t="b"><v>2</v></c>', None, "UNKNOWN_CELL"),
    "a kind that nobody knows": ('<c r="H5" t="image"><v>1</v></c>', None, "UNKNOWN_CELL"),
    "a number with noise": ('<c r="H5"><v>0.30000000000000004</v></c>', "0.3", None),
    "a number below by noise": ('<c r="H5"><v>45000.99999999999</v></c>', "45001", None),
    "a number in scientific notation": ('<c r="H5"><v>1.5E3</v></c>', "1500", None),
    "a small number": ('<c r="H5"><v>1E-3</v></c>', "0.001", None),
    "digits that are lost": ('<c r="H5"><v>3.39900199001010E+17</v></c>', "3.39900199001010E+17", None),
    "a share": ('<c r="H5" s="6"><v>0.256</v></c>', "0.256", None),
    "a number in scientific style": ('<c r="H5" s="4"><v>45432</v></c>', "45432", None),
    "a number with its unit": ('<c r="H5" s="8"><v>45432</v></c>', "45432", None),
    "no number": ('<c r="H5"><v>12,5</v></c>', None, "UNKNOWN_CELL"),
    "no finite number": ('<c r="H5"><v>1E999</v></c>', None, "UNKNOWN_CELL"),
    "a day": ('<c r="H5" s="2"><v>45432</v></c>', "2024-05-20", None),
    "a day in a Chinese style": ('<c r="H5" s="1"><v>45432</v></c>', "2024-05-20", None),
    "a day in a Chinese style of its own": ('<c r="H5" s="3"><v>45432</v></c>', "2024-05-20", None),
    "a day with noise": ('<c r="H5" s="2"><v>45431.999999999</v></c>', "2024-05-20", None),
    "a moment": ('<c r="H5" s="7"><v>45432.25</v></c>', "2024-05-20 06:00:00", None),
    "a time": ('<c r="H5" s="9"><v>0.5</v></c>', "12:00:00", None),
    "hours beyond a day": ('<c r="H5" s="5"><v>1.5</v></c>', "36:00:00", None),
    "before the day that was none": ('<c r="H5" s="2"><v>1</v></c>', "1900-01-01", None),
    "the day before it": ('<c r="H5" s="2"><v>59</v></c>', "1900-02-28", None),
    "the day that was none": ('<c r="H5" s="2"><v>60</v></c>', None, "NO_DAY"),
    "the day after it": ('<c r="H5" s="2"><v>61</v></c>', "1900-03-01", None),
    "a negative day": ('<c r="H5" s="2"><v>-1</v></c>', None, "NO_DAY"),
    "a day written as a number": ('<c r="H5" s="2"><v>20240520</v></c>', None, "NO_DAY"),
    "a style that there is not": ('<c r="H5" s="999"><v>45432</v></c>', "45432", None),
    "a day by itself": ('<c r="H5" t="d"><v>2024-05-20T00:00:00</v></c>', "2024-05-20", None),
    "a moment by itself": ('<c r="H5" t="d"><v>2024-05-20T06:00:00</v></c>', "2024-05-20 06:00:00", None),
    "no day by itself": ('<c r="H5" t="d"><v>2024-02-30</v></c>', None, "NO_DAY"),
    "nothing but a style": ('<c r="H5" s="3"/>', None, None),
    "a cell without its place": ("<c t='inlineStr'><is><t>第一批</t></is></c>", "第一批", None),
}


@pytest.mark.parametrize("space", [TRANSITIONAL, STRICT], ids=["transitional", "strict"])
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_says_what_was_meant_or_why_it_cannot(name: str, space: str) -> None:
    cell, said, fault = CELLS[name]
    content = workbook(roster(roster_row(5, H=cell), space=space), styles=STYLES, strings=STRINGS, space=space)
    block = only(read(content))
    if fault is None:
        assert block.frame["recognition_round"].to_list() == [said]
        assert not block.faulty
        return
    (faulty,) = block.faulty
    assert faults_of(faulty) == [(fault, "recognition_round", "H5")]
    assert faulty.values is not None
    assert faulty.values["recognition_round"] == said
    assert block.frame.is_empty()


def test_a_workbook_that_is_yet_to_be_computed_has_no_zeros() -> None:
    formula = '<c r="K5"><f>SUM(A1)</f><v>0</v></c>'
    later = workbook(roster(roster_row(5, K=formula)), properties='<calcPr fullCalcOnLoad="1"/>')
    assert [faults_of(row) for row in only(read(later)).faulty] == [[("FORMULA", "employees", "K5")]]
    now = workbook(roster(roster_row(5, K=formula)))
    assert only(read(now)).frame["employees"].to_list() == ["0"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('<c r="G5" s="1"><v>43970</v></c>', "2024-05-20"),
        ('<c r="G5"><v>43970</v></c>', "45432"),
        ('<c r="G5" s="2"><v>0</v></c>', "1904-01-01"),
        ('<c r="G5"><v>20240520</v></c>', "20240520"),
        ('<c r="G5"><v>202405</v></c>', "202405"),
        (text("G5", "2024-05-20"), "2024-05-20"),
        (text("G5", "43970"), None),
        (text("G5", "４３９７０"), None),
        (text("G5", "''43970"), None),
        (text("G5", " ‘43970.0"), None),
    ],
)
def test_days_that_count_from_1904(cell: str, said: str | None) -> None:
    content = workbook(roster(roster_row(5, G=cell)), properties='<workbookPr date1904="1"/>', styles=STYLES)
    block = only(read(content))
    if said is None:
        assert [faults_of(row) for row in block.faulty] == [[("EPOCH", "recognised_on", "G5")]]
    else:
        assert block.frame["recognised_on"].to_list() == [said]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("yyyy/m/d", NumberKind.DATE),
        ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", NumberKind.DATE),
        ("[DBNum1][$-804]yyyy年m月d日;@", NumberKind.DATE),
        ("m月", NumberKind.DATE),
        ("[$-411]ge.m.d", NumberKind.DATE),
        ("h:mm AM/PM", NumberKind.TIME),
        ("mm:ss.0", NumberKind.TIME),
        ("[mm]:ss", NumberKind.ELAPSED),
        ("General", NumberKind.NUMBER),
        ("G/通用格式", NumberKind.NUMBER),
        ("#,##0.00_);[Red]\\(#,##0.00\\)", NumberKind.NUMBER),
        ('0.00"元/月"', NumberKind.NUMBER),
        ('0"days"', NumberKind.NUMBER),
        ("0.0E+0", NumberKind.NUMBER),
        ("[>=10000]0!.0,万;0", NumberKind.NUMBER),
        ("@", NumberKind.NUMBER),
        ("", NumberKind.NUMBER),
    ],
)
def test_a_style_makes_a_day_only_by_its_code(code: str, kind: NumberKind) -> None:
    assert kind_of_number(200, code) is kind


@given(st.dates(dt.date(1900, 3, 1), dt.date(2199, 12, 31)), st.booleans())
def test_every_day_has_one_serial(day: dt.date, has_1904_dates: bool) -> None:
    first = dt.date(1904, 1, 1) if has_1904_dates else dt.date(1899, 12, 30)
    serial = (day - first).days
    if serial >= 0:
        for noise in (0, 1e-9, -1e-9):
            assert day_text(serial + noise, NumberKind.DATE, has_1904_dates=has_1904_dates) == day.isoformat()


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=3, allow_nan=False))
def test_numbers_keep_their_digits(number: object) -> None:
    from decimal import Decimal

    assert Decimal(number_text(float(str(number)))) == Decimal(str(number))


@given(st.text())
@settings(max_examples=300)
def test_what_a_container_escapes_comes_back(written: str) -> None:
    escaped = "".join(f"_x{ord(sign):04X}_" if sign == "_" or ord(sign) < 32 else sign for sign in written)
    assert unescaped(escaped) == written


@pytest.mark.parametrize(
    ("logical_type", "said"), [("boolean", "1"), ("integer", "TRUE"), ("date", "TRUE"), ("number", "TRUE")]
)
def test_yes_is_a_one_only_where_yes_or_no_is_asked_for(logical_type: str, said: str) -> None:
    columns = tuple(
        dataclasses.replace(column, logical_type=logical_type) if column.name == "employees" else column
        for column in ENTERPRISES.columns
    )
    contract = dataclasses.replace(ENTERPRISES, columns=columns)
    content = workbook(roster(roster_row(5, K='<c r="K5" t="b"><v>1</v></c>')))
    assert only(read(content, contract)).frame["employees"].to_list() == [said]


@given(st.text(max_size=8), st.sampled_from(["n", "s", "b", "e", "d", "str", "inlineStr", "", "z"]), st.booleans())
@settings(max_examples=500)
def test_no_cell_raises(value: str, kind: str, has_formula: bool) -> None:
    reader = CellReader(["a"], [NumberKind.DATE], has_1904_dates=False, is_uncomputed=False)
    for style in ("", "0", "7", "x"):
        cell = reader.read(1, kind, style, value, has_formula=has_formula)
        assert cell is None or cell.text is not None or cell.fault is not None
