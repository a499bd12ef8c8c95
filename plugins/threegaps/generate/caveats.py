"""What the caveat of every wage figure says of the months in which contribution bases step.

The months are dated data (``seed_contribution_base_step``); ``dim_indicator`` joins the same text in the marts.
"""

from __future__ import annotations

from collections.abc import Iterable

Row = dict[str, str]

_ZH = ("缴费基数调整月:", "、", "{month}(差额补缴至{until}{assumed})", ",月份为假定", ";")
_EN = (
    "contribution bases step in ",
    ", ",
    "{month} (difference paid until {until}{assumed})",
    ", month assumed",
    "; ",
)


def with_base_steps(indicators: Iterable[Row], steps: Iterable[Row], methods: Iterable[Row]) -> list[Row]:
    """The indicators, those that measure wages of the feed of a step with the steps of its bases in both caveats.

    Args:
        indicators: Rows of the catalogue of indicators.
        steps: Rows of ``seed_contribution_base_step``.
        methods: Rows of ``seed_method``.
    """
    counting = {method["method"] for method in methods if method["numerator_is"] == "count"}
    in_order = sorted(steps, key=lambda step: step["step_month"])
    described = []
    for indicator in indicators:
        # a count of who has a record of wages does not depend on how much they are
        feeds = () if indicator["method"] in counting else indicator["horizon_feeds"].split(",")
        needed = [step for step in in_order if step["feed"] in feeds]
        described.append(
            indicator
            | {
                "caveat_zh": _joined(indicator["caveat_zh"], needed, *_ZH),
                "caveat_en": _joined(indicator["caveat_en"], needed, *_EN),
            }
        )
    return described


def _joined(caveat: str, steps: list[Row], begin: str, between: str, pattern: str, assumed: str, separator: str) -> str:
    if not steps:
        return caveat
    said = between.join(
        pattern.format(
            month=step["step_month"][:7],
            until=step["back_paid_until"][:7],
            assumed=assumed if step["is_assumed"] == "true" else "",
        )
        for step in steps
    )
    return separator.join(part for part in (caveat, begin + said) if part)
