"""What a column's values are, and what the raw table keeps them in: the two must fit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Literal

from threegaps.contracts.options.base import Option, OptionError
from threegaps.rules.regular_expressions import ColumnExpression

LogicalType = Literal["string", "date", "timestamp", "number", "integer", "boolean"]

# By logical type, what the raw table keeps it in; numbers are kept with as many digits as the contract says.
_PHYSICAL_TYPES: Mapping[str, str] = {
    "string": "text",
    "date": "date",
    "timestamp": "timestamptz",
    "integer": "integer",
    "boolean": "boolean",
}
_NUMERIC = re.compile(r"numeric\(([1-9][0-9]?),([1-9][0-9]?)\)")
_MOST_DIGITS = 38


class LogicalTypeOptions(Option):
    """Bounds and form of a column's values."""

    pattern: ColumnExpression | None = None
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    exclusive_minimum: int | float | str | None = None
    exclusive_maximum: int | float | str | None = None


def check_physical_type(logical_type: LogicalType, physical_type: str) -> None:
    """Refuse a type of the raw table that does not keep the values of a logical type.

    Raises:
        ValueError: With the right one.
    """
    if logical_type == "number":
        digits, scale = map(int, match.groups()) if (match := _NUMERIC.fullmatch(physical_type)) else (0, 0)
        if not scale < digits <= _MOST_DIGITS:
            raise OptionError(
                "physicalType",
                f"{physical_type!r} keeps no number; say numeric(digits,decimals) like numeric(12,2), of"
                f" {_MOST_DIGITS} digits at most, one of them a decimal and one before the point at least",
            )
    elif physical_type != _PHYSICAL_TYPES[logical_type]:
        right = _PHYSICAL_TYPES[logical_type]
        raise OptionError("physicalType", f"a {logical_type} is kept as {right!r}, not as {physical_type!r}")


def check_options(logical_type: LogicalType, options: LogicalTypeOptions) -> None:
    """Refuse bounds and a form that values of a logical type cannot have, and bounds that leave nothing.

    Raises:
        ValueError: With the option.
    """
    if options.pattern is not None and logical_type != "string":
        raise OptionError("logicalTypeOptions/pattern", f"a form is of texts, and the column is {logical_type}")
    sides = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
    values = options.model_dump(by_alias=True, exclude_none=True)
    for names in sides:
        if all(name in values for name in names):
            raise OptionError("logicalTypeOptions", f"{' and '.join(names)} are two bounds on one side; keep one")
    bounds = {name: _bound(logical_type, name, values[name]) for names in sides for name in names if name in values}
    if len(bounds) == 2:
        (lowest, low), (highest, high) = bounds.items()
        is_exclusive = "exclusiveMinimum" in bounds or "exclusiveMaximum" in bounds
        if low > high or (is_exclusive and low == high):
            raise OptionError(
                "logicalTypeOptions", f"{lowest} {values[lowest]} leaves nothing up to {highest} {values[highest]}"
            )


def _bound(logical_type: LogicalType, name: str, value: Any) -> Any:
    if logical_type == "date" and isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise OptionError(f"logicalTypeOptions/{name}", "is no day like 2026-06-30") from None
    if logical_type in {"number", "integer"} and not isinstance(value, str):
        return value
    of = {"date": "a day in quotes, like '2026-06-30'", "number": "a number", "integer": "a number"}.get(logical_type)
    raise OptionError(f"logicalTypeOptions/{name}", f"is not {of}" if of else f"a {logical_type} has no bounds")
