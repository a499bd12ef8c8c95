"""Rows that go back to their department: a workbook or a CSV in which it finds what is wrong, and mends it."""

from threegaps.returned.expected import expected_zh
from threegaps.returned.files import check_target, make_folder, write_file
from threegaps.returned.rows import Reason, Returned, ReturnedRow, Total, said_en, said_zh

__all__ = [
    "Reason",
    "Returned",
    "ReturnedRow",
    "Total",
    "check_target",
    "expected_zh",
    "make_folder",
    "said_en",
    "said_zh",
    "write_file",
]
