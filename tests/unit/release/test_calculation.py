"""The formula of a figure with its numbers in it."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from threegaps.release.explain import calculation

ROOT = Path(__file__).resolve().parents[3]


def cell(value_from: str, numerator: str | None, denominator: str | None, **others: Any) -> dict[str, Any]:
    return {
        "value_from": value_from,
        "numerator": None if numerator is None else Decimal(numerator),
        "denominator": None if denominator is None else Decimal(denominator),
        "unit_scale": Decimal(1),
        "value": Decimal(1),
        "value_status": "reported",
        "method_zh": "中位数",
        "method_en": "median",
        "value_text": "约25%",
        "value_text_en": "about 25 %",
        **others,
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (cell("numerator", "1340", None), "1,340 = 约25%"),
        (cell("numerator", "13405000", None, unit_scale=Decimal("0.0001")), "13,405,000 × 0.0001 = 约25%"),
        (cell("quotient", "50", "200", unit_scale=Decimal(100)), "50 ÷ 200 × 100 = 约25%"),
        (cell("difference", "1.2500", "1.2", unit_scale=Decimal(100)), "(1.25 − 1.2) × 100 = 约25%"),
        (cell("ratio_of_quotients", "28.4000", "20.1250"), "28.4% ÷ 20.125% = 约25%"),
        (cell("model", "69000", "42600.5"), "按「中位数」直接得出,其两部分为 69,000 与 42,600.5 = 约25%"),
        (cell("model", None, None), "按「中位数」直接得出,没有单独列出的分子、分母 = 约25%"),
        (cell("quotient", None, None), "按「中位数」直接得出,没有单独列出的分子、分母 = 约25%"),
        (cell("quotient", None, None, value=None, value_status="suppressed"), "没有数:已隐去"),
        (cell("quotient", None, None, value=None, value_status="not_supplied"), "没有数:未报送"),
    ],
)
def test_a_formula_with_its_numbers(given: dict[str, Any], said: str) -> None:
    assert calculation(given)[0] == said
    assert calculation(given)[1].isascii() or "÷" in said or "×" in said


def test_a_figure_whose_parts_are_shown_is_explained_by_them() -> None:
    with (ROOT / "dbt_project/seeds/seed_method.csv").open(encoding="utf-8", newline="") as file:
        kinds = {row["value_from"] for row in csv.DictReader(file)}
    assert kinds
    for value_from in kinds:
        assert "1.5" in calculation(cell(value_from, "1.5", "3"))[0], value_from
