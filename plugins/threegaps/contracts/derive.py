"""The plain rules that follow from what a contract's own fields say: nobody writes them, and none can be forgotten.

By column: ``_required``, ``_type``, ``_pattern``, ``_code``, ``_range``, ``_reach`` of update times, and those of
identity documents and of counties; of the whole: ``row_shape``, ``row_readable``, ``key_unique`` and the batch's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from threegaps.contracts.document import ContractDocument, Property
from threegaps.contracts.options.base import explain
from threegaps.contracts.options.normalisations import AreaLevel, BooleanWords, CountyCodes, CountyNames, ResidentId
from threegaps.contracts.tables import PERSON_COLUMN
from threegaps.errors import ContractError
from threegaps.rules.model import Labels, Rule
from threegaps.rules.registry import KINDS

# How far the number of rows may be from the period before: changes have no usual number.
_ROW_RATIOS = {"full_list": (0.7, 1.5), "full_period": (0.7, 1.5), "changes": (0.2, 5)}
# Numbers of 18 and of 15 characters, under an address code that was never issued.
_NUMBERS = ("339900199001010070", "33990019900101007X", "339900900101007")
_FEWEST_ROWS_TO_COMPARE, _FEWEST_ROWS_FOR_A_SHARE = 100, 20
_MOST_REFUSED_SHARE, _MOST_DUPLICATE_SHARE = 0.3, 0.2


class Derivation:
    """The plain rules of one contract."""

    def __init__(self, document: ContractDocument) -> None:
        self._document = document
        self._columns = document.schema_[0].properties
        self._labels: Labels = {column.name: column.business_name for column in self._columns}
        self._words = {
            option.column: (option.true, option.false)
            for option in document.custom_properties.normalisations
            if isinstance(option, BooleanWords)
        }

    def column_rules(self, column: Property) -> Iterator[Rule]:
        """The plain rules of a column, in the order in which a person would look."""
        name, bounds = column.name, column.logical_type_options
        if column.required:
            yield self._rule(f"{name}_required", "expect_column_values_to_not_be_null", column=name)
        if column.logical_type != "string":
            yield self._rule(
                f"{name}_type",
                "expect_column_text_to_be_of_type",
                column=name,
                logical_type=column.logical_type,
                **({"words": self._words[name]} if name in self._words else {}),
            )
        if bounds.pattern is not None:
            yield self._rule(
                f"{name}_pattern", "expect_column_values_to_match_regex", column=name, regex=bounds.pattern
            )
        codes = column.custom_properties.code_list
        if codes and column.logical_type == "string":
            yield self._rule(f"{name}_code", "expect_column_values_to_be_in_set", column=name, value_set=list(codes))
        limits = _limits(column)
        if limits:
            yield self._rule(f"{name}_range", "expect_column_values_to_be_between", column=name, **limits)
        yield from self._reach(column)
        yield from self._identity(column)
        yield from self._county(column)

    def table_rules(self) -> Iterator[Rule]:
        """The plain rules on rows as wholes."""
        yield self._rule("row_shape", "expect_row_to_have_declared_fields")
        yield self._rule("row_readable", "expect_row_to_be_readable")
        positions = sorted(
            (column.primary_key_position or 0, column.name) for column in self._columns if column.primary_key
        )
        key = [name for _, name in positions]
        withdrawal = self._document.custom_properties.delivery.withdrawal
        others = [
            column.name
            for column in self._columns
            if column.name not in key
            and (column.custom_properties.stored or (withdrawal is not None and column.name == withdrawal.column))
        ]
        yield self._rule(
            "key_unique", "expect_keys_not_to_be_contradicted", column_list=[*key, *others], key_columns=key
        )
        yield from self._identity_numbers()

    def _identity_numbers(self) -> Iterator[Rule]:
        """None where none is asked for; births not after the day that a row speaks of."""
        documents = {
            option.column: option.type_column
            for option in self._document.custom_properties.normalisations
            if isinstance(option, ResidentId)
        }
        searched = [column for column in self._columns if column.name not in {*documents, PERSON_COLUMN}]
        forms = {column.name: column.logical_type_options.pattern for column in searched}
        yield self._rule(
            "identity_in_text",
            "expect_texts_to_hold_no_identity_number",
            column_list=[column.name for column in searched],
            own_forms={name: form for name, form in forms.items() if form is not None and _is_no_number(form)},
        )
        dates = {column.name for column in self._columns if column.logical_type == "date"}
        beginnings = [name for name in self._document.custom_properties.touch.from_columns if name in dates]
        for name, type_column in documents.items():
            if beginnings:
                yield self._rule(
                    f"{name}_birth_after_date",
                    "expect_birth_not_to_be_after_date",
                    column=name,
                    other_column=type_column,
                    date_columns=beginnings,
                )

    def batch_rules(self) -> Iterator[Rule]:
        """The plain rules on whole batches."""
        low, high = _ROW_RATIOS[self._document.custom_properties.delivery.kind]
        yield self._rule(
            "batch_row_count",
            "expect_row_count_to_be_near_previous",
            min_ratio=low,
            max_ratio=high,
            min_rows=_FEWEST_ROWS_TO_COMPARE,
        )
        yield self._rule(
            "batch_refused_share",
            "expect_refused_share_to_be_below",
            max_share=_MOST_REFUSED_SHARE,
            min_rows=_FEWEST_ROWS_FOR_A_SHARE,
        )
        yield self._rule(
            "batch_duplicate_share",
            "expect_duplicate_share_to_be_below",
            max_share=_MOST_DUPLICATE_SHARE,
            min_rows=_FEWEST_ROWS_FOR_A_SHARE,
        )
        yield self._rule("batch_columns", "expect_columns_to_be_as_declared")

    def _reach(self, column: Property) -> Iterator[Rule]:
        """For the column by which windows of changes are cut; at a delivery its end is known too."""
        watermark = self._document.custom_properties.delivery.watermark
        if watermark is not None and watermark.column == column.name:
            yield self._rule(
                f"{column.name}_reach",
                "expect_update_time_to_be_in_reach",
                column=column.name,
                min_value=watermark.start,
            )

    def _identity(self, column: Property) -> Iterator[Rule]:
        """GB 11643, for a column that the contract declares as document numbers."""
        name = column.name
        for option in self._document.custom_properties.normalisations:
            if isinstance(option, ResidentId) and option.column == name:
                yield self._rule(f"{name}_precision_lost", "expect_resident_id_to_be_precise", column=name)
                yield self._rule(
                    f"{name}_check_digit",
                    "expect_resident_id_to_be_valid",
                    column=name,
                    other_column=option.type_column,
                )

    def _county(self, column: Property) -> Iterator[Rule]:
        """GB/T 2260, for a column that the contract declares as codes or names of divisions."""
        for option in self._document.custom_properties.normalisations:
            if isinstance(option, CountyCodes | CountyNames) and option.column == column.name:
                levels: tuple[AreaLevel, ...] = option.area_levels
                yield self._rule(
                    f"{column.name}_valid", "expect_county_code_to_be_valid", column=column.name, area_levels=levels
                )

    def _rule(self, rule: str, expectation: str, **kwargs: Any) -> Rule:
        kind = KINDS[expectation]
        try:
            arguments = kind.arguments.model_validate(kwargs)
        except ValidationError as error:
            faults = "; ".join(explain(error, kwargs, kind.arguments))
            raise ContractError(
                f"Rule {rule} follows from the column's fields, and cannot be: {faults}.",
                feed=self._document.id,
                column=kwargs.get("column"),
                advice="mend the column's logicalTypeOptions or codeList.",
            ) from None
        zh, en = kind.message(arguments, self._labels)
        return Rule(rule, kind, arguments, kind.action, zh, en, kind.dimension)


def _is_no_number(form: str) -> bool:
    """Whether a column's form is none that an identity number has: then what has it is something else."""
    return not any(re.search(form, number) for number in _NUMBERS)


def _limits(column: Property) -> dict[str, Any]:
    """The bounds that a column declares, as Great Expectations calls them."""
    options = column.logical_type_options
    low = options.minimum if options.exclusive_minimum is None else options.exclusive_minimum
    high = options.maximum if options.exclusive_maximum is None else options.exclusive_maximum
    limits: dict[str, Any] = {}
    if low is not None:
        limits["min_value"] = low
    if high is not None:
        limits["max_value"] = high
    if options.exclusive_minimum is not None:
        limits["strict_min"] = True
    if options.exclusive_maximum is not None:
        limits["strict_max"] = True
    return limits
