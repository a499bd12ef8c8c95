"""The platforms that the plan names as sources, by the code that contracts name them by; names stand once, here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform of the human resources department that the plan names.

    Args:
        name_zh: Its name, as the plan writes it.
        name_en: The same in English.
        clause_zh: The clause of the plan that names it.
        quote_zh: What the clause says of it.
    """

    name_zh: str
    name_en: str
    clause_zh: str
    quote_zh: str


_SHARED = "推进“重点群体就业帮扶”和“职业能力一体化”平台共享融通,实现培训、评价、就业信息互联互通"

PLATFORMS: Mapping[str, Platform] = {
    "craftsmen_system": Platform(
        "浙派工匠一体化系统",
        "Integrated system of Zhejiang craftsmen",
        "征求意见稿 二(五)",
        "迭代升级“浙派工匠”一体化系统",
    ),
    "human_resources_market": Platform(
        "浙江人力资源大市场",
        "Human resources market of Zhejiang",
        "征求意见稿 二(一)",
        "依托浙江人力资源大市场平台,加强技能类岗位需求预测分析",
    ),
    "priority_group_support": Platform(
        "重点群体就业帮扶", "Employment support for priority groups", "征求意见稿 二(一)", _SHARED
    ),
    "vocational_ability": Platform("职业能力一体化", "Integrated vocational ability", "征求意见稿 二(一)", _SHARED),
}
"""What a contract may name as its platform; another one is added here first."""
