"""Rows of a part that are read again by their numbers."""

from __future__ import annotations

import pytest

from tests.unit.batch.batches import WAGES, part, wage, wage_bytes
from threegaps.batch.reading import rows_at


@pytest.mark.parametrize("block_bytes", [400, 4096, 1 << 20])
def test_rows_are_found_by_the_numbers_of_the_first_reading(block_bytes: int) -> None:
    total = "合计" + "," * 14
    rows = [total if number % 7 == 0 else wage(number) for number in range(1, 60)]
    employers = [row.split(",")[1] for row in rows if row != total]
    sent = part(wage_bytes(*rows))
    found = [
        (number, text)
        for block in rows_at(WAGES, sent, {3, 9, 40}, block_bytes)
        for number, text in zip(block.row_numbers, block.frame["resident_id"], strict=True)
    ]
    assert found == [(number, employers[number - 1]) for number in (3, 9, 40)]
