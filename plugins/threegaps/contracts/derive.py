"""The plain rules that follow from what a contract's own fields say: nobody writes them, and none can be forgotten.

By column: ``_required``, ``_type``, ``_pattern``, ``_code``, ``_range``, and those of identity documents and of
counties; of the whole: ``row_shape``, ``key_unique`` and the batch's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from threegaps.contracts.document import ContractDocument, Property
from threegaps.contracts.model import Rule
from threegaps.contracts.options.normalisations import AreaLevel, CountyCodes, ResidentId
from threegaps.contracts.vocabulary import KEY_EXPECTATION, SHAPE_EXPECTATION, rule_columns

_TYPE_WORDS = {
    "date": ("日期", "date"),
    "number": ("数值", "number"),
    "integer": ("整数", "integer"),
    "timestamp": ("时间", "timestamp"),
    "boolean": ("1或0", "boolean"),
}
# How far the number of rows may be from the period before: changes have no usual number.
_ROW_RATIOS = {"full_list": (0.7, 1.5), "full_period": (0.7, 1.5), "changes": (0.2, 5)}
_FEWEST_ROWS_TO_COMPARE, _FEWEST_ROWS_FOR_A_SHARE = 100, 20
_MOST_REFUSED_SHARE, _MOST_DUPLICATE_SHARE = 0.3, 0.2


def column_rules(document: ContractDocument, column: Property) -> Iterator[Rule]:
    """The plain rules of a column, in the order in which a person would look."""
    name, label = column.name, column.business_name
    if column.required:
        yield _rule(f"{name}_required", "expect_column_values_to_not_be_null", {"column": name},
                    f"{label}为空", f"{name} is missing")  # fmt: skip
    if column.logical_type != "string":
        zh, en = _TYPE_WORDS[column.logical_type]
        yield _rule(f"{name}_type", "expect_column_text_to_be_of_type",
                    {"column": name, "logical_type": column.logical_type},
                    f"{label}不是有效的{zh}", f"{name} is not a valid {en}")  # fmt: skip
    pattern = column.logical_type_options.pattern
    if pattern is not None:
        yield _rule(f"{name}_pattern", "expect_column_values_to_match_regex", {"column": name, "regex": pattern},
                    f"{label}格式不符", f"{name} does not have the form {pattern}")  # fmt: skip
    codes = column.custom_properties.code_list
    if codes and column.logical_type == "string":
        yield _rule(f"{name}_code", "expect_column_values_to_be_in_set", {"column": name, "value_set": list(codes)},
                    f"{label}不在代码表内", f"{name} is not in its code list")  # fmt: skip
    yield from _range(column)
    yield from _identity(document, column)
    yield from _county(document, column)


def table_rules(document: ContractDocument) -> Iterator[Rule]:
    """The plain rules on rows as wholes."""
    key = sorted(
        (column.primary_key_position or 0, column.name)
        for column in document.schema_[0].properties
        if column.primary_key
    )
    yield _rule("row_shape", SHAPE_EXPECTATION, {}, "字段数与表头不符",
                "the row does not have as many fields as its header")  # fmt: skip
    yield _rule("key_unique", KEY_EXPECTATION, {"column_list": [name for _, name in key]},
                "同一批次内主键重复而内容不同", "the key stands twice in the batch with different content")  # fmt: skip


def batch_rules(document: ContractDocument) -> Iterator[Rule]:
    """The plain rules on whole batches."""
    low, high = _ROW_RATIOS[document.custom_properties.delivery.kind]
    yield _rule("batch_row_count", "expect_row_count_to_be_near_previous",
                {"min_ratio": low, "max_ratio": high, "min_rows": _FEWEST_ROWS_TO_COMPARE},
                "行数与上期相差过大", "the number of rows is far from the period before", "warn")  # fmt: skip
    yield _rule("batch_refused_share", "expect_refused_share_to_be_below",
                {"max_share": _MOST_REFUSED_SHARE, "min_rows": _FEWEST_ROWS_FOR_A_SHARE},
                "被拒行占比过高", "too large a share of the rows is refused", "stop")  # fmt: skip
    yield _rule("batch_duplicate_share", "expect_duplicate_share_to_be_below",
                {"max_share": _MOST_DUPLICATE_SHARE, "min_rows": _FEWEST_ROWS_FOR_A_SHARE},
                "重复行占比过高", "too large a share of the rows is double", "warn")  # fmt: skip
    yield _rule("batch_columns", "expect_columns_to_be_as_declared", {},
                "合同所列的列与同一版本上次载入时不同",
                "the contract's columns are not those of its last load under the same version", "stop")  # fmt: skip


def _range(column: Property) -> Iterator[Rule]:
    options, name, label = column.logical_type_options, column.name, column.business_name
    kwargs: dict[str, Any] = {"column": name}
    low = options.minimum if options.exclusive_minimum is None else options.exclusive_minimum
    high = options.maximum if options.exclusive_maximum is None else options.exclusive_maximum
    if low is None and high is None:
        return
    if low is not None:
        kwargs["min_value"] = low
    if high is not None:
        kwargs["max_value"] = high
    if options.exclusive_minimum is not None:
        kwargs["strict_min"] = True
    if options.exclusive_maximum is not None:
        kwargs["strict_max"] = True
    zh, en = _bounds_in_words(kwargs)
    yield _rule(f"{name}_range", "expect_column_values_to_be_between", kwargs,
                f"{label}应{zh}", f"{name} is not {en}")  # fmt: skip


def _bounds_in_words(kwargs: Mapping[str, Any]) -> tuple[str, str]:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    is_above, is_below = kwargs.get("strict_min", False), kwargs.get("strict_max", False)
    if low is not None and high is not None and not is_above and not is_below:
        return f"在{low}至{high}之间", f"within {low} and {high}"
    zh, en = [], []
    if low is not None:
        zh.append(f"{'大于' if is_above else '不小于'}{low}")
        en.append(f"{'above' if is_above else 'at least'} {low}")
    if high is not None:
        zh.append(f"{'小于' if is_below else '不大于'}{high}")
        en.append(f"{'below' if is_below else 'at most'} {high}")
    return "且".join(zh), " and ".join(en)


def _identity(document: ContractDocument, column: Property) -> Iterator[Rule]:
    """GB 11643, for a column that the contract declares as document numbers."""
    for option in document.custom_properties.normalisations:
        if isinstance(option, ResidentId) and option.column == column.name:
            yield _rule(f"{column.name}_precision_lost", "expect_resident_id_to_be_precise", {"column": column.name},
                        f"{column.business_name}为科学计数法,末位已丢失",
                        "the document number is in scientific notation: its last digits are lost")  # fmt: skip
            yield _rule(f"{column.name}_check_digit", "expect_resident_id_to_be_valid",
                        {"column": column.name, "other_column": option.type_column},
                        "居民身份证号码不是有效的18位号码(GB 11643)",
                        "not a valid resident identity number (GB 11643: form, birth, check digit)")  # fmt: skip


def _county(document: ContractDocument, column: Property) -> Iterator[Rule]:
    """GB/T 2260, for a column that the contract declares as codes of divisions."""
    for option in document.custom_properties.normalisations:
        if isinstance(option, CountyCodes) and option.column == column.name:
            kwargs: dict[str, Any] = {"column": column.name}
            levels: tuple[AreaLevel, ...] = option.area_levels
            if levels != ("county",):
                kwargs["area_levels"] = list(levels)
            besides = ("", "")
            if "elsewhere" in levels:
                besides = (",也不是外省行政区划代码", ", and none of another province")
            yield _rule(f"{column.name}_valid", "expect_county_code_to_be_valid", kwargs,
                        f"{column.business_name}不是当日有效的浙江行政区划{besides[0]}",
                        f"{column.name} is no valid division of Zhejiang on that date{besides[1]}")  # fmt: skip


def _rule(rule: str, expectation: str, kwargs: dict[str, Any], zh: str, en: str, action: Any = "refuse") -> Rule:
    return Rule(rule, expectation, kwargs, action, zh, en, rule_columns(kwargs))
