"""Types, presence, amounts and spans of dates."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    MulticolumnMapMetricProvider,
    multicolumn_condition_partial,
)

from threegaps.batch.expectations.rows import each_row, given

_DOMAIN = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")


class TextOfType(MulticolumnMapMetricProvider):
    """Condition: of (text, value), a text that is given was read as a value, a number as what it says."""

    condition_metric_name = "multicolumn_values.text_of_type"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ("logical_type",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, logical_type: str = "", **_: Any) -> pd.Series:  # noqa: N805
        def verdict(text: Any, value: Any) -> bool:
            if not given(text):
                return True
            if not given(value):
                return False
            if logical_type not in {"number", "integer"}:
                return True
            try:
                return float(Decimal(text)) == float(value)
            except InvalidOperation:
                return False

        return each_row(column_list, verdict)


class ExpectColumnTextToBeOfType(MulticolumnMapExpectation):
    """What a department wrote must be a value of the column's type."""

    logical_type: str

    map_metric: ClassVar[str] = "multicolumn_values.text_of_type"
    success_keys: ClassVar[tuple[str, ...]] = ("logical_type", "mostly")


class GivenWhere(MulticolumnMapMetricProvider):
    """Condition: of (column, other), the column is given where the other has one of the values."""

    condition_metric_name = "multicolumn_values.given_where"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ("where_values",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, where_values: Any = (), **_: Any) -> pd.Series:  # noqa: N805
        return each_row(column_list, lambda own, other: given(own) or not (given(other) and other in where_values))


class ExpectColumnToBeGivenWhere(MulticolumnMapExpectation):
    """A column must be given where another has certain values."""

    where_values: list[Any]

    map_metric: ClassVar[str] = "multicolumn_values.given_where"
    success_keys: ClassVar[tuple[str, ...]] = ("where_values", "mostly")


class GivenUnless(MulticolumnMapMetricProvider):
    """Condition: of (column, other), the column is given unless the other has one of the values, and only then."""

    condition_metric_name = "multicolumn_values.given_unless"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ("where_values",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, where_values: Any = (), **_: Any) -> pd.Series:  # noqa: N805
        return each_row(column_list, lambda own, other: not given(other) or given(own) != (other in where_values))


class ExpectColumnToBeGivenUnless(MulticolumnMapExpectation):
    """A column must be given, and must be empty where another has certain values."""

    where_values: list[Any]

    map_metric: ClassVar[str] = "multicolumn_values.given_unless"
    success_keys: ClassVar[tuple[str, ...]] = ("where_values", "mostly")


class WithinYears(MulticolumnMapMetricProvider):
    """Condition: of (later, earlier), the later lies at most so many years after the earlier."""

    condition_metric_name = "multicolumn_values.within_years"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ("years",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, years: int = 0, **_: Any) -> pd.Series:  # noqa: N805
        def verdict(later: Any, earlier: Any) -> bool:
            if not (given(later) and given(earlier)):
                return True
            return (later.year, later.month, later.day) <= (earlier.year + years, earlier.month, earlier.day)

        return each_row(column_list, verdict)


class ExpectDateWithinYearsOf(MulticolumnMapExpectation):
    """A date must not lie more than so many years after another."""

    years: int

    map_metric: ClassVar[str] = "multicolumn_values.within_years"
    success_keys: ClassVar[tuple[str, ...]] = ("years", "mostly")


class AmountFitsUnit(MulticolumnMapMetricProvider):
    """Condition: of (amount in yuan, declared unit), an amount above nothing lies within its unit's bounds."""

    condition_metric_name = "multicolumn_values.amount_fits_unit"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ("bounds",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, bounds: Any = None, **_: Any) -> pd.Series:  # noqa: N805
        def verdict(amount: Any, unit: Any) -> bool:
            if not given(amount) or unit not in bounds:
                return True
            low, high = bounds[unit]
            return (low is None or amount <= 0 or amount >= low) and (high is None or amount <= high)

        return each_row(column_list, verdict)


class ExpectAmountToFitUnit(MulticolumnMapExpectation):
    """An amount must be plausible in the unit declared for it: yuan and ten thousand yuan are easily mixed up."""

    bounds: dict[str, Any]

    map_metric: ClassVar[str] = "multicolumn_values.amount_fits_unit"
    success_keys: ClassVar[tuple[str, ...]] = ("bounds", "mostly")
