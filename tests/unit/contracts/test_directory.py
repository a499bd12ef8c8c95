"""The entries of a directory of government data: every field of the guideline, from contracts alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from threegaps.cli import lint
from threegaps.contracts import directory
from threegaps.contracts.document import ContractDocument
from threegaps.contracts.loader import load_documents, read_document
from threegaps.errors import ContractError, SettingsError
from threegaps.settings import Settings

EXPECTATIONS = Settings.load().root / "expectations"
# 政务信息资源目录编制指南(试行), core metadata; formats, items and sharing have parts
CORE = {
    "信息资源分类", "信息资源名称", "信息资源代码", "信息资源提供方", "信息资源提供方代码", "信息资源摘要",
    "信息资源格式分类", "信息资源格式类型", "信息项信息", "共享类型", "共享条件", "共享方式分类", "共享方式类型",
    "是否向社会开放", "开放条件", "更新周期", "发布日期", "关联资源代码",
}  # fmt: skip
MAY_BE_EMPTY = {*directory.AWAITED, "共享条件", "开放条件", "关联资源代码", "表号", "制表机关", "批准文号", "有效期至"}


@pytest.fixture(scope="module")
def documents() -> tuple[ContractDocument, ...]:
    return load_documents(EXPECTATIONS)


def changed(feed: str, **entry: Any) -> ContractDocument:
    written = yaml.safe_load((EXPECTATIONS / f"{feed}.odcs.yaml").read_text(encoding="utf-8"))
    written["customProperties"] = [
        *(one for one in written["customProperties"] if one["property"] != "directory"),
        {"property": "directory", "value": entry},
    ]
    return read_document(Path("x.odcs.yaml"), yaml.safe_dump(written, allow_unicode=True).encode())


def test_every_feed_has_an_entry_with_every_field(documents: tuple[ContractDocument, ...]) -> None:
    entries = directory.entries(documents)
    assert len(entries) == len([*EXPECTATIONS.glob("*/*.odcs.yaml")])
    for entry in entries:
        assert entry.keys() >= CORE
        assert {name for name, value in entry.items() if not value} <= MAY_BE_EMPTY, entry["数据合同"]
    by_feed = {str(entry["数据合同"]): entry for entry in entries}
    wages = by_feed["hrss/wage_records"]
    assert (wages["信息资源格式类型"], wages["共享方式分类"], wages["更新周期"]) == ("csv", "共享平台方式", "每月")
    assert by_feed["union/collective_agreements"]["信息资源格式分类"] == "电子表格"
    assert by_feed["statistics/resident_income"]["法定性质"] == "统计报表"
    assert by_feed["sectors/training_enrollments"]["关联资源代码"] == "hrss/training_enrollments"


def test_an_item_says_its_type_and_its_length(documents: tuple[ContractDocument, ...]) -> None:
    rows = directory.rows(directory.entries(documents))
    assert len(rows) == sum(len(document.schema_[0].properties) for document in documents)
    items = {(row["数据合同"], row["信息项英文名"]): (row["数据类型"], row["长度"]) for row in rows}
    assert items["hrss/wage_records", "resident_id"] == ("字符型C", "18")
    assert items["union/collective_agreements", "uscc"] == ("字符型C", "18")
    assert items["union/collective_agreements", "filing_area_code"] == ("字符型C", "6")
    assert items["union/collective_agreements", "valid_from"] == ("日期型D", "")
    assert items["statistics/resident_income", "income_all_cny"] == ("数值型N", "12,2")


def test_what_the_owner_of_the_directory_gives_is_in_the_entry(documents: tuple[ContractDocument, ...]) -> None:
    coded = changed("hrss/training_enrollments", resourceCode="330000/1", publishedOn="2026-01-31",
                    providerCode="12330000000000000X")  # fmt: skip
    others = [one for one in documents if one.id != coded.id]
    entries = {str(entry["数据合同"]): entry for entry in directory.entries([coded, *others])}
    assert entries[coded.id]["信息资源代码"] == "330000/1"
    assert entries[coded.id]["发布日期"] == "2026-01-31"
    assert entries["sectors/training_enrollments"]["关联资源代码"] == "330000/1"


def test_a_related_feed_without_a_contract_is_refused() -> None:
    with pytest.raises(ContractError, match="no contract for hrss/nothing"):
        directory.entries([changed("hrss/certificates", relatedFeeds=["hrss/nothing"])])


@pytest.mark.parametrize(
    ("named", "refused"),
    [
        ("hrss/nothing", "there is no contract for hrss/nothing"),
        ("hrss/certificates", "hrss/certificates names itself"),
    ],
)
def test_the_check_of_contracts_refuses_a_related_feed_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], named: str, refused: str
) -> None:
    folder = tmp_path / "expectations" / "hrss"
    folder.mkdir(parents=True)
    entry = f"{{property: directory, value: {{relatedFeeds: [{named}]}}}}"
    text = (EXPECTATIONS / "hrss" / "certificates.odcs.yaml").read_text(encoding="utf-8")
    text = text.replace("\ncustomProperties:\n", f"\ncustomProperties:\n  - {entry}\n", 1)
    (folder / "certificates.odcs.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(Settings, "contracts_folder", folder.parent)
    assert lint.main() == 1
    assert refused in capsys.readouterr().err


def test_it_is_written_for_spreadsheets_and_for_machines(
    documents: tuple[ContractDocument, ...], tmp_path: Path
) -> None:
    entries = directory.entries(documents)
    directory.write(entries, tmp_path / "directory.csv")
    directory.write(entries, tmp_path / "directory.json")
    assert (tmp_path / "directory.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "directory.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.DictReader(file)) == directory.rows(entries)
    assert json.loads((tmp_path / "directory.json").read_text(encoding="utf-8")) == entries
    with pytest.raises(SettingsError, match=r"neither \.csv nor \.json"):
        directory.write(entries, tmp_path / "directory.doc")
