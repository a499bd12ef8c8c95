"""Numbers for what can be wrong with a file: they stay what they are, so that people and programs can keep to them.

F is the file as a whole, D a row that cannot be read as declared, R a rule on a row, K on its key, B on all rows
together. A new kind takes the next number; one that is gone leaves its number unused.
"""

from __future__ import annotations

from collections.abc import Mapping

from threegaps.batch.decode.faults import FaultKind

OF_FILES: Mapping[str, str] = {
    "not_as_contracted": "F01",
    "limit_exceeded": "F02",
    "unexpected": "F03",
    "misconfigured": "F04",
    "being_written": "F05",
}
"""By the error's cause, a code of `threegaps.labels.CAUSES`."""

NAME_CODE = "F06"
"""A file's name that no file of the delivery has."""

INCOMPLETE_CODE = "F07"
"""A file of the delivery that is not among those that are checked."""

NO_ROW_CODE = "F08"
"""Files that hold no row."""

PERIOD_CODE = "B05"
"""Rows of another period than the delivery's: the rule `delivery_period`, which no contract has to name."""

OF_FAULTS: Mapping[FaultKind, str] = {
    FaultKind.BYTES: "D01",
    FaultKind.NUL: "D02",
    FaultKind.HALF_CHARACTER: "D03",
    FaultKind.LINE_BREAK: "D04",
    FaultKind.CUT: "D05",
    FaultKind.QUOTE: "D06",
    FaultKind.TOO_LONG: "D07",
    FaultKind.FORMULA: "D08",
    FaultKind.FORMULA_ERROR: "D09",
    FaultKind.MERGED: "D10",
    FaultKind.NO_DAY: "D11",
    FaultKind.EPOCH: "D12",
    FaultKind.UNKNOWN_CELL: "D13",
    FaultKind.KEY_TWICE: "D14",
    FaultKind.KEY_MISSING: "D15",
    FaultKind.NO_NUMBER: "D16",
    FaultKind.NESTED: "D17",
}

OF_RULES: Mapping[str, str] = {
    "expect_row_to_be_readable": "D00",
    "expect_row_to_have_declared_fields": "D20",
    "expect_column_values_to_not_be_null": "R01",
    "expect_column_text_to_be_of_type": "R02",
    "expect_column_values_to_match_regex": "R03",
    "expect_column_values_to_be_in_set": "R04",
    "expect_column_values_to_be_between": "R05",
    "expect_column_pair_values_a_to_be_greater_than_b": "R06",
    "expect_columns_to_be_given_together": "R07",
    "expect_column_to_be_given_unless": "R08",
    "expect_column_to_be_given_where": "R09",
    "expect_column_to_be_given_where_negative": "R10",
    "expect_date_within_years_of": "R11",
    "expect_update_time_to_be_in_reach": "R12",
    "expect_county_code_to_be_valid": "R13",
    "expect_coordinates_to_lie_near_county": "R14",
    "expect_credit_code_to_be_valid": "R15",
    "expect_resident_id_to_be_valid": "R16",
    "expect_resident_id_to_be_precise": "R17",
    "expect_birth_not_to_be_after_date": "R18",
    "expect_texts_to_hold_no_identity_number": "R19",
    "expect_amount_to_fit_unit": "R20",
    "expect_certificate_number_to_fit_pattern": "R21",
    "expect_certificate_number_to_fit_level": "R22",
    "expect_certificate_number_to_fit_province": "R23",
    "expect_certificate_number_to_fit_year": "R24",
    "expect_keys_not_to_be_contradicted": "K01",
    "expect_columns_to_be_as_declared": "B01",
    "expect_duplicate_share_to_be_below": "B02",
    "expect_refused_share_to_be_below": "B03",
    "expect_row_count_to_be_near_previous": "B04",
}
"""By the rule's kind, Great Expectations' type."""
