"""How codes are read, in Chinese and in English: the one list that marts, pages and messages are labelled from.

What departments send is labelled in its contract; breakdowns, methods and units are labelled in their seeds: these are
data. The codes here are the system's own.
"""

from __future__ import annotations

from collections.abc import Mapping

Labels = Mapping[str, tuple[str, str]]
"""In Chinese and in English, by code, in the order in which they are listed."""

DIRECTIONS: Labels = {
    "up": ("越高越好", "higher is better"),
    "down": ("越低越好", "lower is better"),
    "neutral": ("不分好坏", "no direction"),
    "towards_1": ("越接近1越好", "the nearer to 1 the better"),
}
PERIOD_TYPES: Labels = {
    "day": ("时点", "day"),
    "month": ("月", "month"),
    "quarter": ("季", "quarter"),
    "ytd": ("本年累计", "year to date"),
    "year": ("年", "year"),
}
AREA_LEVELS: Labels = {
    "county": ("县(市、区)", "county"),
    "other": ("省外、不详、省市本级", "other provinces, not known, own level of the province or a city"),
    "city": ("设区市", "city"),
    "province": ("全省", "province"),
    "group": ("县组", "group of counties"),
}
AUDIENCES: Labels = {
    "public": ("公开", "public"),
    "province": ("全省公开,其余内部", "public for the province, internal below"),
    "internal": ("内部", "internal"),
}
DISCLOSURES: Labels = {
    "none": ("不涉及个人,照列", "nothing to protect"),
    "persons": ("涉及个人:十位取整,不足10人隐去", "persons: in tens, fewer than 10 suppressed"),
    "employers": (
        "涉及用人单位:不足3家或一家独大隐去",
        "employers: fewer than 3, or one that dominates, suppressed",
    ),
}
VALUE_STATUSES: Labels = {
    "reported": ("已报", "reported"),
    "suppressed": ("已隐去", "suppressed"),
    "immature": ("未到观察期", "not yet observable"),
    "not_supplied": ("未报送", "not supplied"),
    "not_applicable": ("不适用", "not applicable"),
}
"""Why a value is there or missing."""
MATURITIES: Labels = {"final": ("定稿", "final"), "provisional": ("暂定", "provisional")}
TARGET_STATUSES: Labels = {
    "met": ("已达成", "met"),
    "on_track": ("符合进度", "on track"),
    "behind": ("落后", "behind"),
    "not_judged": ("暂不判断", "not judged"),
    "no_target": ("无目标", "no target"),
}
CHANGE_UNITS: Labels = {
    "percentage_points": ("个百分点", "percentage points"),
    "percent": ("%", "per cent"),
    "unit": ("同指标单位", "in the unit"),
}
STATUTORY_MARKS: Labels = {
    "administrative_record": ("行政记录", "administrative record"),
    "statistical_form": ("统计报表", "statistical form"),
}
"""What a feed is by the Statistics Law (浙统〔2024〕31号)."""

CAUSES: Labels = {
    "unreachable": ("无法连接", "cannot be reached"),
    "timed_out": ("超时", "out of time"),
    "login_refused": ("登录被拒绝", "login refused"),
    "not_as_agreed": ("不是约定的系统", "not the system agreed on"),
    "not_there": ("约定的文件夹或数据表不存在", "folder or table not there"),
    "being_written": ("文件仍在写入", "file still being written"),
    "not_as_contracted": ("来件不符合合同", "not as the contract says"),
    "stopped": ("批次被规则拦停", "batch stopped by a rule"),
    "limit_exceeded": ("超过约定上限", "over the limit agreed on"),
    "warehouse_down": ("数据仓库无法使用", "the warehouse does not answer"),
    "misconfigured": ("配置有误", "misconfigured"),
    "unexpected": ("未预料的错误", "unexpected"),
}
"""Why an attempt to land or load a feed failed, or waits."""
ATTEMPT_OUTCOMES: Labels = {
    "running": ("进行中", "under way"),
    "succeeded": ("成功", "succeeded"),
    "nothing_new": ("无新内容", "nothing new"),
    "waiting": ("等待", "waiting"),
    "failed": ("失败", "failed"),
    "cut_off": ("中断", "cut off"),
}
OF_THE_CATALOGUE: Mapping[str, Labels] = {
    "direction": DIRECTIONS,
    "period_types": PERIOD_TYPES,
    "levels": AREA_LEVELS,
    "audience": AUDIENCES,
    "disclosure": DISCLOSURES,
}
"""By the column of the catalogue of indicators that holds the codes."""


def labelled(labels: Labels, codes: str) -> list[tuple[str, str]]:
    """Each code of a list with commas, in Chinese and in English; one without a label stands for itself."""
    return [labels.get(code, (code, code)) for code in (part.strip() for part in codes.split(",")) if code]


def both(labels: Labels, code: str) -> str:
    """A code in Chinese and in English, as messages say it; one without a label stands for itself."""
    return " ".join(labels.get(code, (code,)))


def coded_zh(labels: Labels, *codes: str) -> str:
    """*codes*, or all of them, with their Chinese, as comments of columns list them."""
    return ",".join(f"{code}{labels[code][0]}" for code in codes or labels)
