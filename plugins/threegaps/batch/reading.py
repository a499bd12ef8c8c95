"""The data rows of a batch's parts, by the numbers that tokens carry."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.batch.decode import FaultyRow, Part, StructuralLine, TextBlock, decode
from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.normalise import Normaliser
from threegaps.contracts.model import Contract

BLOCK_BYTES = 8 * 1024 * 1024
_BYTES_OF_A_LINE = 1_000
"""About what a faulty or structural line takes."""


def data_blocks(
    contract: Contract, parts: Sequence[Part], normaliser: Normaliser, block_bytes: int = BLOCK_BYTES
) -> Iterator[TextBlock]:
    """The rows of *parts* as they were sent, without totals and notes.

    Args:
        contract: The feed's contract.
        parts: The landed objects, in order.
        normaliser: The contract's, which knows totals and notes.
        block_bytes: About how many bytes of text a block holds.

    Raises:
        FeedError: A file cannot be decoded as the contract declares.
    """
    for part in parts:
        structural_before = 0
        for block in _together(decode(contract, part, block_bytes), block_bytes):
            structural_before = _strip_structural(contract, block, normaliser, structural_before)
            yield block


def _together(blocks: Iterator[TextBlock], block_bytes: int) -> Iterator[TextBlock]:
    """Small blocks of one part as one, up to *block_bytes*: a block has a price of its own, and sheets may be many."""
    held: list[TextBlock] = []
    held_bytes = 0
    for block in blocks:
        size = int(block.frame.estimated_size()) + (len(block.faulty) + len(block.noted)) * _BYTES_OF_A_LINE
        if held and held_bytes + size > block_bytes:
            yield _joined(held)
            held, held_bytes = [], 0
        held.append(block)
        held_bytes += size
        # A large block does not wait for the next one: two of them would be in memory.
        if held_bytes > block_bytes // 2:
            yield _joined(held)
            held, held_bytes = [], 0
    if held:
        yield _joined(held)


def _joined(blocks: list[TextBlock]) -> TextBlock:
    first, *others = blocks
    if not others:
        return first
    return TextBlock(
        first.part,
        pl.concat([block.frame for block in blocks]).rechunk(),
        pl.concat([block.row_numbers for block in blocks]).rechunk(),
        sum(block.physical_lines for block in blocks),
        structural=sum((block.structural for block in blocks), Counter()),
        noted=[line for block in blocks for line in block.noted],
        faulty=[row for block in blocks for row in block.faulty],
        lines=pl.concat([block.every_line() for block in blocks]).rechunk(),
        sheets=pl.concat([block.every_sheet() for block in blocks]).rechunk(),
        is_plain=all(block.is_plain for block in blocks),
    )


def rows_at(
    contract: Contract, part: Part, row_numbers: Collection[int], block_bytes: int = BLOCK_BYTES
) -> Iterator[TextBlock]:
    """The rows of *part* with these numbers, read again; nothing behind the last of them is read."""
    wanted, missing = pl.Series(list(row_numbers), dtype=pl.Int32), len(row_numbers)
    for block in data_blocks(contract, [part], Normaliser(contract), block_bytes):
        chosen = block.row_numbers.is_in(wanted.implode())
        if chosen.any():
            yield TextBlock(part, block.frame.filter(chosen), block.row_numbers.filter(chosen), 0)
        missing -= int(chosen.sum())
        if not missing:
            return


def lines_at(
    contract: Contract, part: Part, row_numbers: Collection[int], block_bytes: int = BLOCK_BYTES
) -> dict[int, tuple[int | None, int]]:
    """Where the rows of *part* with these numbers stand: their sheet, and their line, as in `StructuralLine`."""
    wanted = set(row_numbers)
    as_series = pl.Series(sorted(wanted), dtype=pl.Int32).implode()
    found: dict[int, tuple[int | None, int]] = {}
    for block in data_blocks(contract, [part], Normaliser(contract), block_bytes):
        chosen = block.row_numbers.is_in(as_series)
        for place in chosen.arg_true():
            found[int(block.row_numbers[place])] = (block.sheet_of(place), block.line_of(place))
        found |= {row.row_number: (row.sheet, row.line) for row in block.faulty if row.row_number in wanted}
        if len(found) == len(wanted):
            break
    return found


def faulty_block(contract: Contract, block: TextBlock) -> tuple[TextBlock, list[FaultyRow]]:
    """Rows of *block* of which something could not be had, as a block of what could, with those rows."""
    rows = [row for row in block.faulty if row.values is not None]
    names = [column.name for column in contract.sent_columns]
    frame = pl.DataFrame(
        {name: [row.values.get(name) if row.values else None for row in rows] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )
    numbers = pl.Series("row_number", [row.row_number for row in rows], dtype=pl.Int32)
    return TextBlock(block.part, frame, numbers, 0), rows


def unread_values(rows: Sequence[FaultyRow], *, besides: FaultKind | None = None) -> dict[str, npt.NDArray[np.bool_]]:
    """By column which of *rows* have a value that could not be had, for whatever reason *besides* one."""
    found: dict[str, npt.NDArray[np.bool_]] = {}
    for place, row in enumerate(rows):
        for fault in row.faults:
            if fault.column is not None and fault.kind is not besides:
                found.setdefault(fault.column, np.zeros(len(rows), dtype=np.bool_))[place] = True
    return found


def _strip_structural(contract: Contract, block: TextBlock, normaliser: Normaliser, before: int) -> int:
    """Take totals and notes out of *block*, and number its data rows without them and the *before* earlier ones.

    Returns:
        How many there have been in the part so far.
    """
    removed: list[int] = []
    reasons = normaliser.structural(block.frame)
    if reasons is not None:
        kept = reasons.is_null()
        for place in (~kept).arg_true():
            block.note(StructuralLine(reasons[place], block.line_of(place), block.sheet_of(place)))
        removed = block.row_numbers.filter(~kept).to_list()
        if removed:
            block.lines = block.every_line()
        block.frame, block.row_numbers = block.frame.filter(kept), block.row_numbers.filter(kept)
        block.lines = None if block.lines is None else block.lines.filter(kept)
        block.sheets = None if block.sheets is None else block.sheets.filter(kept)
    if block.faulty:
        removed = sorted(removed + _strip_faulty(contract, block, normaliser))
    if before or removed:
        numbers = block.row_numbers.to_numpy()
        fewer = before + np.searchsorted(np.array(removed, dtype=np.int64), numbers)
        block.row_numbers = pl.Series("row_number", numbers - fewer, dtype=pl.Int32)
        block.faulty = [
            replace(row, row_number=row.row_number - before - bisect.bisect_left(removed, row.row_number))
            for row in block.faulty
        ]
    return before + len(removed)


def _strip_faulty(contract: Contract, block: TextBlock, normaliser: Normaliser) -> list[int]:
    """Take those of the faulty rows out that are totals or notes: a merge across a total hides nothing of a row."""
    shown, rows = faulty_block(contract, block)
    unread = {name: pl.Series(mask) for name, mask in unread_values(rows, besides=FaultKind.MERGED).items()}
    reasons = normaliser.structural(shown.frame, unread)
    if reasons is None:
        return []
    found = {row.row_number: reason for row, reason in zip(rows, reasons, strict=True) if reason is not None}
    for row in rows:
        if row.row_number in found:
            block.note(StructuralLine(found[row.row_number], row.line, row.sheet))
    block.faulty = [row for row in block.faulty if row.row_number not in found]
    return sorted(found)
