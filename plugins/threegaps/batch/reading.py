"""The data rows of a batch's parts, by the numbers that tokens carry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import polars as pl

from threegaps.batch.decode import Part, TextBlock, decode
from threegaps.batch.normalise import Normaliser
from threegaps.contracts.model import Contract

BLOCK_BYTES = 8 * 1024 * 1024


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
        for block in decode(contract, part, block_bytes):
            structural_before = _strip_structural(block, normaliser, structural_before)
            yield block


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


def _strip_structural(block: TextBlock, normaliser: Normaliser, before: int) -> int:
    """Take totals and notes out of *block*, and number its data rows without them and the *before* earlier ones.

    Returns:
        How many there have been in the part so far.
    """
    found, reasons = normaliser.structural(block.frame)
    removed = np.zeros(0, dtype=np.int64)
    if found is not None:
        removed = block.row_numbers.filter(found).to_numpy().astype(np.int64)
        block.frame = block.frame.filter(~found)
        block.row_numbers = block.row_numbers.filter(~found)
        block.structural.update(reasons)
    if before or len(removed):
        numbers = block.row_numbers.to_numpy()
        fewer = before + np.searchsorted(removed, numbers)
        block.row_numbers = pl.Series("row_number", numbers - fewer, dtype=pl.Int32)
        block.misshapen = [
            (number - before - int(np.searchsorted(removed, number)), fields) for number, fields in block.misshapen
        ]
    return before + len(removed)
