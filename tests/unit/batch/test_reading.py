"""The rows of a part: small blocks put together, and rows that are read again by their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest

from tests.unit.batch.batches import WAGES, part, wage, wage_bytes
from threegaps.batch import reading
from threegaps.batch.decode import FaultyRow, Part, StructuralLine, TextBlock
from threegaps.batch.decode import decode as batch_decode
from threegaps.batch.normalise import Normaliser
from threegaps.batch.reading import data_blocks, rows_at
from threegaps.contracts.model import Contract


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


TOTAL = "合计" + "," * 14


def blocks_of_sheets(monkeypatch: pytest.MonkeyPatch, sheets: int, rows: int, block_bytes: int) -> list[TextBlock]:
    """The data rows of a part that is read as a block a sheet: *rows* of them, a total and a faulty row on each."""
    sent = part(wage_bytes(*(wage(number) for number in range(1, rows + 1)), TOTAL))

    def decode(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
        for sheet in range(1, sheets + 1):
            (block,) = batch_decode(contract, part, 1 << 20)
            before = (sheet - 1) * (rows + 2)
            numbers = (block.row_numbers + before).cast(pl.Int32)
            faulty = FaultyRow(before + rows + 2, rows + 9, fields=3, sheet=sheet)
            yield replace(block, row_numbers=numbers, noted=[], sheet=sheet, faulty=[faulty])

    monkeypatch.setattr(reading, "decode", decode)
    return list(data_blocks(WAGES, [sent], Normaliser(WAGES), block_bytes))


@pytest.mark.parametrize("block_bytes", [1, 5_000, 1 << 20])
def test_blocks_that_are_put_together_say_the_same(monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    blocks = blocks_of_sheets(monkeypatch, 3, 4, block_bytes)
    assert len(blocks) == {1: 3, 5_000: 2, 1 << 20: 1}[block_bytes]
    assert [number for block in blocks for number in block.row_numbers] == [1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14]
    assert [row.row_number for block in blocks for row in block.faulty] == [5, 10, 15]
    assert [number for block in blocks for number in block.every_line()] == 3 * [2, 3, 4, 5]
    assert [sheet for block in blocks for sheet in block.every_sheet()] == 4 * [1] + 4 * [2] + 4 * [3]
    totals = [StructuralLine("total", 6, sheet) for sheet in (1, 2, 3)]
    assert [line for block in blocks for line in block.noted] == totals
    assert sum(block.structural["total"] for block in blocks) == 3
    assert sum(block.physical_lines for block in blocks) == 3 * 6


def test_faulty_rows_alone_fill_a_block_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(blocks_of_sheets(monkeypatch, 40, 0, 10_000)) > 3
