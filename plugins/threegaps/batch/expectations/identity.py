"""Document numbers, credit codes and counties."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, ClassVar

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_condition_partial,
    multicolumn_condition_partial,
)

from threegaps.batch.expectations.rows import each_row, given
from threegaps.standards.areas import is_division

_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}")
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def is_resident_id(text: str) -> bool:
    """GB 11643: seventeen digits with a date of birth, and a check character by ISO 7064 MOD 11-2."""
    if not _RESIDENT_ID.fullmatch(text):
        return False
    try:
        born = dt.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    remainder = 0
    for character in text:
        remainder = (remainder * 2 + (10 if character == "X" else int(character))) % 11
    return 1850 <= born.year <= 2100 and remainder == 1


def is_credit_code(text: str) -> bool:
    """GB 32100: eighteen characters of the alphabet whose weighted sum by powers of three is a multiple of 31."""
    if len(text) != 18 or any(character not in _CREDIT_ALPHABET for character in text):
        return False
    total, weight = 0, 1
    for character in text[:17]:
        total += _CREDIT_ALPHABET.index(character) * weight
        weight = weight * 3 % 31
    return (total + _CREDIT_ALPHABET.index(text[17])) % 31 == 0


class ResidentIdPrecise(ColumnMapMetricProvider):
    """Condition: not in a spreadsheet's scientific notation."""

    condition_metric_name = "column_values.resident_id_precise"
    condition_value_keys = ()

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return column.map(lambda text: _SCIENTIFIC.fullmatch(text) is None).astype(bool)


class ExpectResidentIdToBePrecise(ColumnMapExpectation):
    """A document number must not have lost its last digits to scientific notation."""

    map_metric: ClassVar[str] = "column_values.resident_id_precise"


class ResidentIdValid(MulticolumnMapMetricProvider):
    """Condition: of (number, kind of document), a resident card's number is valid."""

    condition_metric_name = "multicolumn_values.resident_id_valid"
    condition_domain_keys = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805
        def verdict(number: Any, kind: Any) -> bool:
            if kind != "01" or not given(number) or _SCIENTIFIC.fullmatch(number):
                return True
            return is_resident_id(number)

        return each_row(column_list, verdict)


class ExpectResidentIdToBeValid(MulticolumnMapExpectation):
    """A resident identity card's number must be valid by GB 11643; other documents are taken as they are."""

    map_metric: ClassVar[str] = "multicolumn_values.resident_id_valid"


class CreditCodeValid(ColumnMapMetricProvider):
    """Condition: form, alphabet and check character."""

    condition_metric_name = "column_values.credit_code_valid"
    condition_value_keys = ()

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return column.map(is_credit_code).astype(bool)


class ExpectCreditCodeToBeValid(ColumnMapExpectation):
    """A unified social credit code must be valid by GB 32100 (live codes are known that are not: warn)."""

    map_metric: ClassVar[str] = "column_values.credit_code_valid"


class CountyCodeValid(ColumnMapMetricProvider):
    """Condition: a division in force of one of the levels, which may include those elsewhere."""

    condition_metric_name = "column_values.county_code_valid"
    condition_value_keys = ("area_levels",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, area_levels: Any = None, **_: Any) -> pd.Series:  # noqa: N805
        levels = tuple(area_levels or ("county",))
        return column.map(lambda code: is_division(code, levels)).astype(bool)


class ExpectCountyCodeToBeValid(ColumnMapExpectation):
    """A county code, after its normalisation by code and date, must be a division in force of one of the levels."""

    area_levels: list[str] = ["county"]  # noqa: RUF012  # a pydantic field

    map_metric: ClassVar[str] = "column_values.county_code_valid"
    success_keys: ClassVar[tuple[str, ...]] = ("area_levels", "mostly")
