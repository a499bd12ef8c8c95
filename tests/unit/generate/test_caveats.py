"""Only figures made of wages say when contribution bases step, and only as the dated data has it."""

from __future__ import annotations

from threegaps.generate.caveats import with_base_steps

STEPS = [
    {"feed": "a/wages", "step_month": "2026-01-01", "back_paid_until": "2026-03-31", "is_assumed": "true"},
    {"feed": "a/wages", "step_month": "2025-07-01", "back_paid_until": "2025-10-31", "is_assumed": "false"},
]
METHODS = [
    {"method": "median", "numerator_is": "none"},
    {"method": "count", "numerator_is": "count"},
    {"method": "ratio_of_sums", "numerator_is": "count"},
]
WAGES = {"method": "median", "horizon_feeds": "a/certificates,a/wages", "caveat_zh": "甲", "caveat_en": "one"}
OTHER = {"method": "count", "horizon_feeds": "a/certificates", "caveat_zh": "乙", "caveat_en": "two"}


def test_wage_figures_say_each_step_in_order() -> None:
    wages, other = with_base_steps([WAGES, OTHER], STEPS, METHODS)
    assert other == OTHER
    assert wages["caveat_zh"] == "甲;缴费基数调整月:2025-07(差额补缴至2025-10)、2026-01(差额补缴至2026-03,月份为假定)"
    assert wages["caveat_en"] == (
        "one; contribution bases step in 2025-07 (difference paid until 2025-10),"
        " 2026-01 (difference paid until 2026-03, month assumed)"
    )


def test_without_a_step_nothing_is_added() -> None:
    assert with_base_steps([WAGES], [], METHODS) == [WAGES]


def test_a_caveat_of_its_own_is_not_needed() -> None:
    (wages,) = with_base_steps([WAGES | {"caveat_zh": "", "caveat_en": ""}], STEPS[1:], METHODS)
    assert wages["caveat_zh"].startswith("缴费基数调整月")
    assert wages["caveat_en"].startswith("contribution bases")


def test_a_share_of_persons_with_a_record_is_no_wage_figure() -> None:
    share = WAGES | {"method": "ratio_of_sums"}
    assert with_base_steps([share], STEPS, METHODS) == [share]
