"""Certificate numbers against the fields beside them (coding rules of MOHRSS for level certificates, 22 characters)."""

from __future__ import annotations

import re
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
_LEVEL = re.compile(
    r"(?P<issuer>[YS])(?P<agency>[0-9]{4})(?P<province>[0-9]{2})(?P<site>[0-9]{6})"
    r"(?P<year>[0-9]{2})(?P<level>[1-5TS])(?P<serial>[0-9]{6})"
)
_QUALIFICATION = re.compile(r"[0-9]{16}")


def _part(number: Any, kind: Any, name: str) -> str | None:
    """A named part of a well-formed level certificate's number; None where there is nothing to judge."""
    match = _LEVEL.fullmatch(number) if kind == "01" and given(number) else None
    return match[name] if match else None


class CertificateNumberPattern(MulticolumnMapMetricProvider):
    """Condition: of (number, kind), the number has its kind's form."""

    condition_metric_name = "multicolumn_values.certificate_number_pattern"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805
        def verdict(number: Any, kind: Any) -> bool:
            form = {"01": _LEVEL, "02": _QUALIFICATION}.get(kind)
            return form is None or not given(number) or form.fullmatch(number) is not None

        return each_row(column_list, verdict)


class ExpectCertificateNumberToFitPattern(MulticolumnMapExpectation):
    """A certificate number must have the form of its kind."""

    map_metric: ClassVar[str] = "multicolumn_values.certificate_number_pattern"


class CertificateNumberYear(MulticolumnMapMetricProvider):
    """Condition: of (number, kind, day of issue), the number holds the day's year."""

    condition_metric_name = "multicolumn_values.certificate_number_year"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805
        def verdict(number: Any, kind: Any, issued_on: Any) -> bool:
            year = _part(number, kind, "year")
            return year is None or not given(issued_on) or int(year) == issued_on.year % 100

        return each_row(column_list, verdict)


class ExpectCertificateNumberToFitYear(MulticolumnMapExpectation):
    """The year in a level certificate's number must be that of its issue."""

    map_metric: ClassVar[str] = "multicolumn_values.certificate_number_year"


class CertificateNumberLevel(MulticolumnMapMetricProvider):
    """Condition: of (number, kind, level), the number holds the level."""

    condition_metric_name = "multicolumn_values.certificate_number_level"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805
        def verdict(number: Any, kind: Any, level_code: Any) -> bool:
            level = _part(number, kind, "level")
            return level is None or not given(level_code) or level == level_code

        return each_row(column_list, verdict)


class ExpectCertificateNumberToFitLevel(MulticolumnMapExpectation):
    """The level in a level certificate's number must be its level code."""

    map_metric: ClassVar[str] = "multicolumn_values.certificate_number_level"


class CertificateNumberProvince(MulticolumnMapMetricProvider):
    """Condition: of (number, kind), the number holds the province's two digits."""

    condition_metric_name = "multicolumn_values.certificate_number_province"
    condition_domain_keys = _DOMAIN
    condition_value_keys = ("province",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, province: str = "", **_: Any) -> pd.Series:  # noqa: N805
        return each_row(column_list, lambda number, kind: _part(number, kind, "province") in {None, province})


class ExpectCertificateNumberToFitProvince(MulticolumnMapExpectation):
    """The province in a level certificate's number must be the one that sends it."""

    province: str

    map_metric: ClassVar[str] = "multicolumn_values.certificate_number_province"
    success_keys: ClassVar[tuple[str, ...]] = ("province", "mostly")
