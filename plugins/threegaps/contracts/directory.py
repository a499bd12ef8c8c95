"""Entries of a directory of government data by 政务信息资源目录编制指南(试行) (发改高技〔2017〕1272号), from contracts.

What only the directory's owner can give (codes, days of publication) is empty until the contract has it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from threegaps.contracts.authorities import CREDIT_CODES, DIVISIONS, RESIDENT_IDS
from threegaps.contracts.document import ContractDocument, Property
from threegaps.contracts.options.statutory import StatisticalForm
from threegaps.errors import ContractError, SettingsError
from threegaps.labels import STATUTORY_MARKS
from threegaps.standards.replacing import replaced
from threegaps.standards.visible import for_spreadsheet

Entry = Mapping[str, str | list[dict[str, str]]]
"""A feed's entry: core metadata by their names in the guideline; ``信息项信息`` has a mapping for each item."""

ITEMS = "信息项信息"
ITEM_FIELDS = ("信息项名称", "信息项英文名", "数据类型", "长度")
AWAITED = ("信息资源代码", "信息资源提供方代码", "发布日期")
"""Fields that the directory's owner gives."""

_LEVEL_OF_DEPARTMENTS = "部门信息资源目录"
# The kind of format, its type; the way of sharing, its type.
_FORMATS = {"csv": ("自描述格式", "csv"), "xlsx": ("电子表格", "xlsx"), "json_pages": ("自描述格式", "json")}
_PLATFORM = "共享平台方式"
_WAYS = {
    "http": (_PLATFORM, "接口"),
    "database": (_PLATFORM, "数据库"),
    "sftp": (_PLATFORM, "文件下载"),
    "file_drop": ("邮件、拷盘、介质交换等方式", "介质交换"),
}
_SHARING = {"unconditional": "无条件共享", "conditional": "有条件共享", "none": "不予共享"}
_CADENCES = {"day": "每日", "month": "每月", "quarter": "每季度", "term": "每学期", "year": "每年"}
_TYPES = {
    "string": "字符型C",
    "number": "数值型N",
    "integer": "整型I",
    "boolean": "逻辑型L",
    "date": "日期型D",
    "timestamp": "日期时间型T",
}
_FIXED_WIDTH = re.compile(r"\^\[[^\]]+\]\{(\d+)\}\$")
_DIGITS = re.compile(r"numeric\((\d+),(\d+)\)")
# By the standard that a column follows.
_WIDTHS = {RESIDENT_IDS: "18", CREDIT_CODES: "18", DIVISIONS: "6"}


def entries(documents: Sequence[ContractDocument]) -> list[Entry]:
    """The entry of every feed.

    Args:
        documents: The contracts as they are written.

    Raises:
        ContractError: One names a related feed that has no contract, or itself.
    """
    known = {document.id: document for document in documents}
    return [_entry(document, known) for document in documents]


def rows(found: Iterable[Entry]) -> list[dict[str, str]]:
    """One row an item of an entry, its entry's fields repeated: the form in which directories are filled in."""
    flat = []
    for entry in found:
        shared = {name: value for name, value in entry.items() if isinstance(value, str)}
        items = entry[ITEMS]
        flat += [shared | item for item in items if isinstance(items, list) and isinstance(item, dict)]
    return flat


def write(found: Sequence[Entry], file: Path) -> None:
    """Write the entries as the ending of *file* says; CSV with a byte order mark, by which Excel knows UTF-8.

    A file of that name stands until the new one is whole.

    Raises:
        SettingsError: It ends in neither .csv nor .json, or cannot be written there.
    """
    if file.suffix.lower() == ".json":
        with replaced(file) as beside:
            beside.write((json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode())
    elif file.suffix.lower() == ".csv":
        flat = rows(found)
        with replaced(file) as beside, io.TextIOWrapper(beside, "utf-8-sig", newline="", write_through=True) as text:
            writer = csv.DictWriter(text, flat[0] if flat else ())
            writer.writeheader()
            writer.writerows({name: for_spreadsheet(value) for name, value in row.items()} for row in flat)
    else:
        raise SettingsError(f"{file.name} is neither .csv nor .json.", advice="give the file one of these endings.")


def check_related(documents: Sequence[ContractDocument]) -> None:
    """Refuse a related feed that there is not.

    Args:
        documents: The contracts as they are written.

    Raises:
        ContractError: See `entries`.
    """
    known = {document.id: document for document in documents}
    for document in documents:
        for feed in document.custom_properties.directory.related_feeds:
            _code_of(feed, document, known)


def _entry(document: ContractDocument, known: Mapping[str, ContractDocument]) -> Entry:
    custom, own = document.custom_properties, document.custom_properties.directory
    source = document.servers[0].custom_properties.source
    kind, type_ = ("数据库", "数据库表") if source.protocol == "database" else _FORMATS[custom.file_format.kind]
    way, way_type = _WAYS[source.protocol]
    frequency = document.service_level("frequency")
    sharing = custom.sharing
    return {
        "信息资源分类": _LEVEL_OF_DEPARTMENTS,
        "信息资源名称": custom.title_zh,
        "信息资源代码": own.resource_code or "",
        "信息资源提供方": custom.owner_zh,
        "信息资源提供方代码": own.provider_code or "",
        "信息资源摘要": f"{custom.row_zh}。",
        "信息资源格式分类": kind,
        "信息资源格式类型": type_,
        ITEMS: [_item(column) for column in document.schema_[0].properties],
        "共享类型": _SHARING[sharing.kind] if sharing else "",
        "共享条件": (sharing.condition_zh or "") if sharing else "",
        "共享方式分类": way,
        "共享方式类型": way_type,
        "是否向社会开放": ("是" if sharing.is_open else "否") if sharing else "",
        "开放条件": own.opening_condition_zh or "",
        "更新周期": _CADENCES[str(frequency.unit)] if frequency else "",
        "发布日期": _day(own.published_on),
        "关联资源代码": "、".join(_code_of(feed, document, known) for feed in own.related_feeds),
        # Beyond the core metadata: the contract behind the entry, and its statutory marks.
        "数据合同": document.id,
        **_mark(document),
    }


def _item(column: Property) -> dict[str, str]:
    return dict(zip(ITEM_FIELDS, (column.business_name, column.name, _TYPES[column.logical_type], _length(column)),
                    strict=True))  # fmt: skip


def _length(column: Property) -> str:
    """How long a value is at most, as far as the contract bounds it; decimals behind a comma."""
    followed = [_WIDTHS[one.url] for one in column.authoritative_definitions if one.url in _WIDTHS]
    if followed:
        return followed[0]
    if digits := _DIGITS.fullmatch(column.physical_type):
        return ",".join(digits.groups())
    if codes := column.custom_properties.code_list:
        return str(max(map(len, codes)))
    fixed = _FIXED_WIDTH.fullmatch(column.logical_type_options.pattern or "")
    return fixed[1] if fixed else ""


def _code_of(feed: str, document: ContractDocument, known: Mapping[str, ContractDocument]) -> str:
    """A related entry's code; the feed's name while it has none."""
    if feed not in known:
        raise ContractError(
            f"customProperties/directory/relatedFeeds: there is no contract for {feed}.",
            feed=document.id,
            advice="name a feed of `threegaps feeds`.",
        )
    if feed == document.id:
        raise ContractError(
            f"customProperties/directory/relatedFeeds: {feed} names itself.",
            feed=document.id,
            advice="name the other feed whose entry says the same in part, or leave it out.",
        )
    return known[feed].custom_properties.directory.resource_code or feed


def _mark(document: ContractDocument) -> dict[str, str]:
    mark = document.custom_properties.statutory_mark
    form = mark if isinstance(mark, StatisticalForm) else None
    return {
        "法定性质": STATUTORY_MARKS[mark.kind][0] if mark else "",
        "形成于": mark.arises_from_zh if mark else "",
        "表号": form.form_number if form else "",
        "制表机关": form.agency_zh if form else "",
        "批准文号": form.approval_number if form else "",
        "有效期至": form.valid_until.isoformat() if form else "",
    }


def _day(day: dt.date | None) -> str:
    return "" if day is None else day.isoformat()
