"""Small clean deliveries of our own making, ways to spoil them, and ways to compare what a warehouse came to."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import openpyxl
import psycopg

from sandbox.identifiers import resident_ids, social_credit_codes
from threegaps.contracts.loader import find_contract
from threegaps.ledger.landed import CONTROL_PART
from threegaps.settings import Settings
from threegaps.warehouse import quarantine

WAGES = "hrss/wage_records"
ENTERPRISES = "hrss/skill_enterprises"
TRAINING = "hrss/training_enrollments"
CERTIFICATES = "hrss/certificates"
ENTERPRISE_FILE = "skill_enterprises_2024Q3.xlsx"
MONTH = "2024-07"
WAGE_COLUMNS = [
    "证件类型",
    "证件号码",
    "单位编号",
    "统一社会信用代码",
    "参保地区划",
    "行业",
    "费款所属期",
    "险种",
    "缴费类型",
    "缴费工资",
    "金额单位",
    "封顶保底",
    "业务日期",
    "更正序号",
    "操作",
]
PART = "wage_202407_part{:02d}of{:02d}.csv.gz"
CONTROL = "wage_202407.ok"


def wage_rows(count: int = 60, *, month: str = "202407") -> list[list[str]]:
    """Clean rows of one month, each of another person."""
    numbers = np.arange(count, dtype=np.int64)
    persons = resident_ids(19800101 + numbers % 28, numbers, numbers * 0)
    employers = social_credit_codes(numbers % 7)
    recorded = f"{month[:4]}-{month[4:]}-15"
    return [
        [
            "01",
            str(persons[i]),
            f"DW{i % 7:06d}",
            str(employers[i]),
            "330106",
            "C",
            month,
            "110",
            "01",
            f"{6000 + i}.00",
            "元",
            "0",
            recorded,
            "0",
            "1",
        ]
        for i in range(count)
    ]


def wage_text(rows: Sequence[Sequence[str]], columns: Sequence[str] = WAGE_COLUMNS) -> str:
    """A part's text, with its header and its total line."""
    lines = [columns, *rows, ["合计", *[""] * (len(columns) - 1)]]
    return "".join(",".join(line) + "\n" for line in lines)


def wage_part(rows: Sequence[Sequence[str]], columns: Sequence[str] = WAGE_COLUMNS) -> bytes:
    """A part as the department sends it."""
    return gzip.compress(wage_text(rows, columns).encode("gb18030"), mtime=0)


class WageFolder:
    """The month's folder on the SFTP server."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "wage_records" / "202407"
        self.folder.mkdir(parents=True)

    def send(self, *parts: bytes, rows: int | None = None, count: int = 60) -> None:
        """Put these parts there, in place of what lay there, and the control file that announces them."""
        for path in self.folder.iterdir():
            path.unlink()
        for number, part in enumerate(parts, 1):
            (self.folder / PART.format(number, len(parts))).write_bytes(part)
        announced = count if rows is None else rows
        (self.folder / CONTROL).write_text(f"parts={len(parts)} rows={announced}\n", encoding="ascii")


ENTERPRISE_HEADER = (
    ("序号", "企业信息", "", "所在地", "", "", "认定情况", "", "", "", "职工情况", ""),
    (
        "",
        "企业名称",
        "统一社会信用代码",
        "设区市",
        "县(市、区)",
        "行政区划代码",
        "认定日期",
        "认定批次",
        "状态",
        "撤销日期",
        "职工总数",
        "技能人才数",
    ),
)


def enterprise_rows(count: int = 30) -> list[list[object]]:
    """Clean rows of the roster."""
    codes = social_credit_codes(np.arange(count, dtype=np.int64))
    return [
        [
            i + 1,
            f"合成企业{i}",
            str(codes[i]),
            "杭州市",
            "西湖区",
            "330106",
            "2024-05-20",
            "第一批",
            "已认定",
            None,
            100 + i,
            40 + i,
        ]
        for i in range(count)
    ]


def enterprise_book(rows: Sequence[Sequence[object]]) -> bytes:
    """The roster as a workbook with its title, note, two-row header and total row."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["技能型企业名单"])
    sheet.append(["统计截止2024-09-30(合成数据)"])
    for line in ENTERPRISE_HEADER:
        sheet.append([cell or None for cell in line])
    for area in ("A1:L1", "A3:A4", "B3:C3", "D3:F3", "G3:J3", "K3:L3"):
        sheet.merge_cells(area)
    for row in rows:
        sheet.append(list(row))
    sheet.append(["合计", "", len(rows)])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def content(warehouse: str, feed: str) -> tuple[int, str]:
    """Number and hash of a feed's rows, without what tells in which batch and file they came."""
    with psycopg.connect(warehouse) as connection:
        row = connection.execute(
            "select count(*), coalesce(md5(string_agg(line, '|' order by line)), '') from (select"
            " (to_jsonb(t) - '{_batch_id,_landed_object_id,_row_number}'::text[])::text as line"
            f" from raw.{feed.replace('/', '_')} as t) as lines"
        ).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


def row_count(warehouse: str, feed: str) -> int:
    """How many rows the feed's table has; none where it has not been made yet."""
    with psycopg.connect(warehouse) as connection:
        table = f"raw.{feed.replace('/', '_')}"
        made = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
        row = connection.execute(f"select count(*) from {table}").fetchone() if made and made[0] else (0,)
    return int(row[0]) if row else 0


def statuses(warehouse: str) -> list[str]:
    """The status of each batch, in order; counts of every judged one balance."""
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute(
            "select status, physical_lines = structural + received and received = accepted + refused + duplicates"
            " from ops.batch order by batch_id"
        ).fetchall()
    assert all(is_balanced for status, is_balanced in rows if status in {"loaded", "stopped"})
    return [str(row[0]) for row in rows]


def landed(warehouse: str) -> list[str]:
    """What has landed, by the department's names, control files left out."""
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute(
            "select source_name from ops.landed_object where part <> %s order by landed_object_id", [CONTROL_PART]
        ).fetchall()
    return [str(row[0]) for row in rows]


def refusals(warehouse: str, *, open_only: bool = True) -> Mapping[int, frozenset[str]]:
    """Refused rows by row number, with the rules that they broke."""
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute(
            "select row_number, reasons from quarantine.refused_row where not %s or closed_by_batch_id is null",
            [open_only],
        ).fetchall()
    return {int(number): frozenset(reason["rule"] for reason in reasons) for number, reasons in rows}


def exported(warehouse: str, feed: str, path: Path) -> list[dict[str, str]]:
    """Export the feed's open refusals as CSV; the rows by the department's column names."""
    with psycopg.connect(warehouse) as connection:
        quarantine.export(connection, find_contract(Settings.load().contracts_folder, feed), path, is_synthetic=True)
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def send_back(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write *rows* to *path* as a department sends an exported file back."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path
