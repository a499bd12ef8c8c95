"""A figure's explanation for people: single facts first, then the lists, each under its Chinese and English name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threegaps.cli.output import both, cell, console, pair, print_rows, with_pairs
from threegaps.labels import STATUTORY_MARKS, Labels

_MOST_SHOWN = 40

FACTS: Labels = {
    "indicator_code": ("指标", "indicator"),
    "name": ("名称", "name"),
    "area_code": ("地区代码", "area code"),
    "area_name": ("地区", "area"),
    "period_label": ("期", "period"),
    "breakdown": ("分组", "breakdown"),
    "breakdown_value": ("分组值", "part"),
    "value": ("值", "value"),
    "rounding": ("列示精度", "rounding"),
    "unit": ("单位", "unit"),
    "method": ("方法", "method"),
    "numerator": ("分子", "numerator"),
    "denominator": ("分母", "denominator"),
    "formula": ("公式", "formula"),
    "calculation": ("代入", "calculation"),
    "value_status": ("取值状态", "value status"),
    "maturity": ("成熟度", "maturity"),
    "status": ("目标状态", "target status"),
    "target_text": ("目标值", "target value"),
    "status_note": ("状态说明", "status note"),
    "target_progress": ("完成率(%)", "progress (%)"),
    "due_progress": ("应达完成率(%)", "progress due (%)"),
    "time_progress": ("时间进度(%)", "time gone (%)"),
    "progress_gap": ("完成率减应达完成率(百分点)", "progress less what is due (points)"),
    "change_on_year": ("较上年同期", "change on year"),
    "covered_from": ("数据覆盖起", "covered from"),
    "covered_to": ("数据覆盖止", "covered to"),
    "is_revised": ("已修订", "revised"),
    "is_demonstration": ("演示", "demonstration"),
    "caveat": ("说明", "caveat"),
    "data_are": ("数据为", "data are"),
    "data_as_of": ("数据截至", "data as of"),
    "release_id": ("发布号", "release"),
    "value_release_id": ("最先给出此值的发布", "release that first said it"),
    "said_since": ("自何时起", "said since"),
}
"""The single facts, in the order in which they are printed."""

TARGET: Labels = {
    "target_date": ("目标日", "by"),
    "baseline_date": ("基线日", "baseline date"),
    "baseline_value": ("基线值", "baseline value"),
    "basis": ("依据", "basis"),
    "plan_version": ("版本", "plan version"),
    "source_document": ("文件", "document"),
}
"""What is said of the target, below its value."""

LISTS: Labels = {
    "other_targets": ("其他目标", "other targets"),
    "why": ("为何有此数", "why"),
    "said_before": ("以前说过", "said before"),
    "feeds": ("数据源", "feeds"),
    "refused": ("拒收的行", "refused rows"),
    "files": ("文件", "files"),
}
HEADS: Labels = {
    "cause": ("原因", "cause"),
    "source": ("来自", "source"),
    "note": ("备注", "note"),
    "feed": ("数据源", "feed"),
    "delivery": ("报送期", "delivery"),
    "batch_id": ("批次", "batch"),
    "is_of_own_period": ("本期", "own period"),
    "touches": ("涉及", "touches"),
    "first_day": ("首日", "first day"),
    "last_day": ("末日", "last day"),
    "target_date": ("目标日", "by"),
    "target_value": ("目标值", "target"),
    "baseline_date": ("基线日", "baseline date"),
    "baseline_value": ("基线值", "baseline value"),
    "basis": ("依据", "basis"),
    "plan_version": ("版本", "plan version"),
    "release_from": ("自发布", "from release"),
    "release_to": ("至发布", "to release"),
    "value": ("值", "value"),
    "value_status": ("取值状态", "value status"),
    "name": ("名称", "name"),
    "statutory_mark": ("法定性质", "statutory mark"),
    "form_number": ("表号", "form"),
    "form_agency_zh": ("制定机关", "agency"),
    "form_approval_number": ("批准文号", "approval"),
    "form_valid_until": ("有效期至", "valid until"),
    "is_form_example": ("示例", "example"),
    "is_form_expired": ("已过期", "expired"),
    "rule": ("规则", "rule"),
    "message": ("原因", "reason"),
    "rows": ("行", "rows"),
    "of_own_period": ("本期", "own period"),
    "of_unknown_county": ("县不详", "county unknown"),
    "first_delivery": ("最早报送期", "first delivery"),
    "last_delivery": ("最近报送期", "last delivery"),
    "landed_object_id": ("文件号", "object"),
    "source_name": ("文件", "file"),
    "arrival_number": ("第几次", "arrival"),
    "size_bytes": ("字节", "bytes"),
    "sha256": ("校验和", "sha256"),
    "fetched_at": ("取得", "fetched at"),
}
"""The columns of the lists."""

_WORDS: dict[str, Labels] = {
    "rounding": {"none": ("照列", "as it is"), "tens": ("取整到十", "to tens")},
    "cause": {
        "batch": ("批次", "batch"),
        "seed": ("种子有变", "a seed changed"),
        "model": ("模型有变", "a model changed"),
        "as_of": ("时日推移", "days passed"),
        "full build": ("全量构建", "full build"),
        "undo": ("撤回", "undo"),
    },
    "statutory_mark": STATUTORY_MARKS,
}


def explanation_page(found: Mapping[str, Any]) -> None:
    """Print what `explain` has found."""
    for line in _facts(found):
        console.print(line, markup=False)
    for feed in found["feeds"]:
        if feed["is_form_expired"]:
            console.print(
                f"注意:统计报表「{feed['name_zh']}」({feed['form_number']})的有效期已于{feed['form_valid_until']}届满"
                f" · the statistical form behind it expired on {feed['form_valid_until']}",
                style="bold red",
                markup=False,
            )
    for name, label in LISTS.items():
        console.print()
        _print_list(both(*label), found[name])


def _facts(found: Mapping[str, Any]) -> Iterator[str]:
    told = dict(found) | {"value_zh": found["value_text"], "value_en": found["value_text_en"]}
    told["change_on_year"] = _change(found)
    told = _in_words(told)
    for name, (zh, en) in FACTS.items():
        if told[name] is None or told[name] == "":
            continue
        yield f"{pair(zh, en)}: {_said(told[name])}"
        if name == "target_text" and found["target"] is not None:
            yield from _target(found["target"])


def _target(target: Mapping[str, Any]) -> Iterator[str]:
    said = _in_words(target)
    for name, (zh, en) in TARGET.items():
        if said[name] is not None:
            yield f"  {pair(zh, en)}: {_said(said[name])}"
    if not target["is_confirmed"]:
        yield f"  {pair('目标有待核对', 'target yet to be confirmed')}"


def _change(found: Mapping[str, Any]) -> str | None:
    change = found["change_on_year"]
    if change is None:
        return None
    unit_zh, unit_en = found["change_unit_zh"], found["change_unit_en"]
    unit = unit_zh if unit_zh in {"%", "‰"} else both(unit_zh, unit_en)
    return f"{'+' if change > 0 else ''}{cell(change)} {unit}"


def _in_words(row: Mapping[str, Any]) -> dict[str, Any]:
    """*row* in words: a code gives way to the names that stand beside it."""
    named = {name for name in row if {f"{name}_zh", f"{name}_en"} <= set(row)}
    paired = with_pairs({name: value for name, value in row.items() if name not in named})
    return {
        name: both(*_WORDS[name].get(value, (value, ""))) if name in _WORDS else value for name, value in paired.items()
    }


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return pair("是", "yes") if value else pair("否", "no")
    # Identifiers are no quantities: no separators in them.
    return str(value) if isinstance(value, int) else cell(value)


def _print_list(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    # The beginning tells files apart; the whole stands in the JSON.
    shown = [
        _in_words({**row, "sha256": f"{row['sha256'][:12]}…"} if "sha256" in row else row) for row in rows[:_MOST_SHOWN]
    ]
    print_rows(shown, title=title, heads={name: pair(*label) for name, label in HEADS.items()})
    if left := len(rows) - len(shown):
        own = sum(bool(row.get("is_of_own_period") or row.get("of_own_period")) for row in rows)
        console.print(
            f"共{len(rows):,}项,另有{left:,}项未列,本期的{own:,}项在前 · {left:,} more of {len(rows):,}, the {own:,}"
            " of the figure's own period come first; --json lists every one",
            markup=False,
        )
