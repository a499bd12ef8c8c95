"""Workbooks written by hand, part by part, so that tests can say what no library would write."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from tests.unit.batch.batches import ROOT, part
from threegaps.batch.decode import FaultyRow, TextBlock, decode
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract

ENTERPRISES = find_contract(ROOT, "hrss/skill_enterprises")
TRANSITIONAL = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HEADER = (
    ("序号", "企业信息", "企业信息", "所在地", "所在地", "所在地", "认定情况", "认定情况", "认定情况", "认定情况",
     "职工情况", "职工情况"),
    ("序号", "企业名称", "统一社会信用代码", "设区市", "县(市、区)", "行政区划代码", "认定日期", "认定批次", "状态",
     "撤销日期", "职工总数", "技能人才数"),
)  # fmt: skip
COLUMNS = "ABCDEFGHIJKL"


def text(reference: str, value: str) -> str:
    """A cell with an inline text."""
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def row(number: int, cells: Iterable[str]) -> str:
    """A row of cells."""
    return f'<row r="{number}">{"".join(cells)}</row>'


def roster_row(number: int, **changed: str) -> str:
    """A right row of the roster, with whole cells in place of some of its own, by column letter; empty for none."""
    credit_code = f"91350100M000100Y{number:02d}"
    values = (str(number), "合成企业", credit_code, "杭州市", "西湖区", "330106", "2024-05-20", "第一批", "已认定", "",
              "100", "40")  # fmt: skip
    cells = [
        changed.get(letter, text(f"{letter}{number}", value) if value else "")
        for letter, value in zip(COLUMNS, values, strict=True)
    ]
    return row(number, cells)


def roster(*rows: str, merges: Sequence[str] = (), space: str = TRANSITIONAL) -> str:
    """A sheet of the roster: two title rows, two of header, and *rows* from the fifth on."""
    head = [row(1, [text("A1", "名单")]), row(2, [text("A2", "合成数据")])]
    head += [row(number, [text(f"{letter}{number}", name) for letter, name in zip(COLUMNS, names, strict=True)])
             for number, names in enumerate(HEADER, 3)]  # fmt: skip
    return sheet(*head, *rows, merges=merges, space=space)


def sheet(*rows: str, merges: Sequence[str] = (), space: str = TRANSITIONAL) -> str:
    """A sheet's part."""
    merged = "".join(f'<mergeCell ref="{area}"/>' for area in merges)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{space}"><sheetData>{"".join(rows)}</sheetData>'
        f"{f'<mergeCells>{merged}</mergeCells>' if merged else ''}</worksheet>"
    )


def workbook(
    *sheets: str,
    names: Sequence[str] = (),
    hidden: Iterable[int] = (),
    properties: str = "",
    styles: str | None = None,
    strings: str | None = None,
    parts: Mapping[str, bytes] | None = None,
    space: str = TRANSITIONAL,
) -> bytes:
    """A workbook of these sheets.

    Args:
        names: What the sheets are called.
        hidden: Positions, from 1, of those that are hidden.
        properties: Elements before the list of sheets.
        styles: The cell formats, as the content of a style sheet.
        strings: The shared texts, as the content of their table.
        parts: Other parts, or parts in place of these.
        space: The main namespace.
    """
    listed = "".join(
        f'<sheet name="{names[index] if index < len(names) else f"Sheet{index + 1}"}" sheetId="{index + 1}"'
        f'{" state=" + chr(34) + "veryHidden" + chr(34) if index + 1 in set(hidden) else ""} r:id="rId{index + 1}"/>'
        for index in range(len(sheets))
    )
    links = "".join(
        f'<Relationship Id="rId{index + 1}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{index + 1}.xml"/>'
        for index in range(len(sheets))
    )
    written: dict[str, bytes] = {
        "[Content_Types].xml": b"<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument"'
        f' Target="xl/workbook.xml"/></Relationships>'.encode(),
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{_OFFICE}">{properties}<sheets>{listed}</sheets>'
        f"</workbook>".encode(),
    }
    for index, content in enumerate(sheets, 1):
        written[f"xl/worksheets/sheet{index}.xml"] = content.encode()
    if styles is not None:
        written["xl/styles.xml"] = f'<styleSheet xmlns="{space}">{styles}</styleSheet>'.encode()
        links += f'<Relationship Id="rIdS" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    if strings is not None:
        written["xl/sharedStrings.xml"] = f'<sst xmlns="{space}">{strings}</sst>'.encode()
        links += f'<Relationship Id="rIdT" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    written["xl/_rels/workbook.xml.rels"] = f'<Relationships xmlns="{_PACKAGE}">{links}</Relationships>'.encode()
    written |= parts or {}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in written.items():
            archive.writestr(name, content)
    return target.getvalue()


def read(
    content: bytes, contract: Contract = ENTERPRISES, name: str = "skill_enterprises_2024Q3.xlsx"
) -> list[TextBlock]:
    """The blocks of a workbook."""
    return list(decode(contract, part(content, name=name), 1 << 20))


def only(blocks: list[TextBlock]) -> TextBlock:
    """The one block that there is."""
    (block,) = blocks
    return block


def faults_of(row: FaultyRow) -> list[tuple[str, str | None, str]]:
    """Kind, column and cell of what could not be had."""
    return [(fault.kind.name, fault.column, fault.cell) for fault in row.faults]
