"""What a contract may name: ways to reach each kind of delivery, and expectation types.

Each type has a translation to columns and a Great Expectations class, each way has its source. Plain names only, so
that a contract can be checked where none of these is imported; tests hold them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROTOCOLS_BY_KIND: Mapping[str, tuple[str, ...]] = {
    "changes": ("http", "database"),
    "full_list": ("sftp", "file_drop", "http", "database"),
    "full_period": ("sftp", "file_drop"),
}
"""How each kind of delivery can be reached: changes by inquiry, full periods in files, full lists by both."""

FORMATS_BY_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "http": ("json_pages",),
    "database": ("csv",),
    "sftp": ("csv", "xlsx"),
    "file_drop": ("csv", "xlsx"),
}
"""What can come by each protocol; a database's rows are landed as CSV."""

_BY_FILES = ("control_file", "file", "quiet")

COMPLETENESS_BY_WAY: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("changes", "http"): ("window",),
    ("changes", "database"): ("window",),
    ("full_list", "http"): ("whole_read",),
    ("full_list", "database"): ("whole_read",),
    ("full_list", "sftp"): _BY_FILES,
    ("full_list", "file_drop"): _BY_FILES,
    ("full_period", "sftp"): _BY_FILES,
    ("full_period", "file_drop"): _BY_FILES,
}
"""By what a kind of delivery that comes by a protocol can be known to be complete."""

CORE_ROW_EXPECTATIONS = frozenset(
    {
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_be_between",
        "expect_column_pair_values_a_to_be_greater_than_b",
    }
)
"""Great Expectations' own."""

CUSTOM_ROW_EXPECTATIONS = frozenset(
    {
        "expect_column_text_to_be_of_type",
        "expect_resident_id_to_be_precise",
        "expect_resident_id_to_be_valid",
        "expect_credit_code_to_be_valid",
        "expect_county_code_to_be_valid",
        "expect_column_to_be_given_where",
        "expect_column_to_be_given_unless",
        "expect_date_within_years_of",
        "expect_certificate_number_to_fit_pattern",
        "expect_certificate_number_to_fit_year",
        "expect_certificate_number_to_fit_level",
        "expect_certificate_number_to_fit_province",
        "expect_amount_to_fit_unit",
    }
)
"""Defined in ``threegaps.batch.expectations``."""

KEY_EXPECTATION = "expect_compound_columns_to_be_unique"
"""Uniqueness within the batch: judged among the rows that passed the other rules."""

SHAPE_EXPECTATION = "expect_row_to_have_declared_fields"
"""A line with more or fewer fields than the header."""

ROW_EXPECTATIONS = CORE_ROW_EXPECTATIONS | CUSTOM_ROW_EXPECTATIONS | {KEY_EXPECTATION, SHAPE_EXPECTATION}

BATCH_EXPECTATIONS = frozenset(
    {
        "expect_row_count_to_be_near_previous",
        "expect_refused_share_to_be_below",
        "expect_duplicate_share_to_be_below",
        "expect_columns_to_be_as_declared",
    }
)
"""On counters of the whole batch."""

_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "other_column", "date_column", "where_column", "column_list")


def rule_columns(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that a rule with these arguments reads, the judged one first."""
    read: list[str] = []
    for argument in _COLUMN_ARGUMENTS:
        value = kwargs.get(argument)
        if isinstance(value, str):
            read.append(value)
        elif isinstance(value, list):
            read.extend(value)
    return tuple(dict.fromkeys(read))
