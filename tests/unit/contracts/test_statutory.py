"""What a feed is by the Statistics Law: a form says all that it must, and what is made up cannot pass for real."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from threegaps.contracts.labels import mark_en, mark_zh
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.options.statutory import AdministrativeRecord, StatisticalForm
from threegaps.generate.marts import read_seed
from threegaps.settings import Settings

ROOT = Settings.load().root
REAL = {
    "kind": "statistical_form",
    "surveyZh": "一项调查",
    "formNumber": "甲1表",
    "agencyZh": "某厅",
    "approvalNumber": "某统制〔2025〕1号",
    "validUntil": "2026-06-30",
    "sourceZh": "表头",
}
EXAMPLE = {
    **{name: value for name, value in REAL.items() if name != "sourceZh"},
    "formNumber": "示例表号",
    "approvalNumber": "合成文号",
    "isExample": True,
}


def form(**changes: Any) -> StatisticalForm:
    return StatisticalForm.model_validate({**REAL, **changes})


def test_a_form_holds_until_its_last_day() -> None:
    assert not form().is_expired(dt.date(2026, 6, 30))
    assert form().is_expired(dt.date(2026, 7, 1))
    # the date of an example is made up as its numbers are
    assert not StatisticalForm.model_validate(EXAMPLE).is_expired(dt.date(2026, 7, 1))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({**EXAMPLE, "formNumber": "甲1表"}, "formNumber"),
        ({**EXAMPLE, "approvalNumber": "某统制〔2025〕1号"}, "approvalNumber"),
        ({**EXAMPLE, "sourceZh": "表头"}, "sourceZh"),
        ({**REAL, "formNumber": "示例表号"}, "formNumber"),
        ({**REAL, "approvalNumber": "已批准"}, "approvalNumber"),
        ({name: value for name, value in REAL.items() if name != "sourceZh"}, "sourceZh"),
        ({name: value for name, value in REAL.items() if name != "validUntil"}, "validUntil"),
        ({**REAL, "validUntil": "永久"}, "validUntil"),
    ],
)
def test_what_is_made_up_cannot_pass_for_real_and_nothing_is_left_out(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        StatisticalForm.model_validate(written)
    fault = refused.value.errors()[0]
    assert said in {*map(str, fault["loc"]), getattr(fault.get("ctx", {}).get("error"), "key", "")}


def test_each_feed_has_its_mark_and_no_number_of_ours_looks_real() -> None:
    contracts = load_contracts(ROOT / "expectations")
    assert all(contract.statutory_mark is not None for contract in contracts)
    forms = [contract.form for contract in contracts if contract.form is not None]
    assert {contract.feed for contract in contracts if contract.is_published} == {
        contract.feed for contract in contracts if contract.form is not None
    }
    assert all(one.is_example for one in forms), "where were the numbers read?"
    seed = {row["feed"]: row for row in read_seed(ROOT, "seed_feed")}
    for contract in contracts:
        assert (seed[contract.feed]["statutory_mark"] == "statistical_form") == (contract.form is not None)


def test_a_mark_is_said_in_both_languages() -> None:
    record = AdministrativeRecord(kind="administrative_record", activity_zh="就业登记")
    assert (mark_zh(record), mark_en(record)) == ("行政记录(就业登记)", "administrative record")
    for part in ("甲1表", "某厅", "某统制〔2025〕1号", "2026-06-30"):
        assert part in mark_zh(form())
    example = StatisticalForm.model_validate(EXAMPLE)
    assert "非真实文号" in mark_zh(example)
    assert "examples" in mark_en(example)
    assert "非真实文号" not in mark_zh(form())
