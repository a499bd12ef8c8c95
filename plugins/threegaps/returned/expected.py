"""What a column of a contract takes, in the words of whoever fills it in."""

from __future__ import annotations

from threegaps.contracts.model import Column

_TYPES_ZH = {
    "date": "日期,如 2026-06-30",
    "timestamp": "日期和时间,如 2026-06-30 08:00:00",
    "integer": "整数",
    "number": "数值",
    "boolean": "是或否",
    "string": "文本",
}
_MOST_CODES = 12


def expected_zh(column: Column) -> str:
    """What belongs into a cell of *column*: its form or its codes, and whether it may be empty."""
    parts = [_TYPES_ZH.get(column.logical_type, "文本")]
    if column.code_list:
        shown = "、".join(f"{code.code} {code.label_zh}" for code in column.code_list[:_MOST_CODES])
        more = f"等{len(column.code_list)}个代码" if len(column.code_list) > _MOST_CODES else ""
        parts = [f"代码:{shown}{more}"]
    parts.append("必填" if column.required else "可为空")
    return ";".join(parts)
