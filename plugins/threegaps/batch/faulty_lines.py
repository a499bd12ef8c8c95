"""The lines of a batch of which something could not be had, as the frame that Great Expectations judges."""

from __future__ import annotations

import numpy as np
import polars as pl

from threegaps.batch.decode import FaultyRow, TextBlock
from threegaps.batch.frames import JudgedFrame
from threegaps.contracts.model import Contract, Rule
from threegaps.rules.frames import DECLARED_FIELDS, FAULTS, FIELDS


class FaultyLines:
    """Collects lines that do not fit their header, or hold what could not be read.

    Args:
        contract: The feed's contract.
        most: The most lines that are held.
    """

    def __init__(self, contract: Contract, most: int) -> None:
        self._declared = sum(1 for column in contract.columns if column.headers)
        self._most = most
        self._held: list[tuple[str, FaultyRow]] = []

    def __len__(self) -> int:
        return len(self._held)

    def take(self, block: TextBlock) -> None:
        """Take in a block's faulty rows."""
        number = block.part.landed_object_id
        room = self._most - len(self._held)
        self._held += [(f"{number}-{row.row_number}", row) for row in block.faulty[:room]]

    def judged(self, shape: Rule, readable: Rule) -> JudgedFrame:
        """The lines with what their reader said of them."""
        rows = [row for _, row in self._held]
        frame = pl.DataFrame(
            {
                FIELDS: [self._fields(row) for row in rows],
                DECLARED_FIELDS: [self._declared] * len(rows),
                FAULTS: [len(row.faults) for row in rows],
            }
        )
        verdicts = {
            shape.rule: np.array([row.fields is not None for row in rows], dtype=np.bool_),
            readable.rule: np.array([bool(row.faults) for row in rows], dtype=np.bool_),
        }
        return JudgedFrame([shape, readable], frame, verdicts, pl.Series([token for token, _ in self._held]))

    def _fields(self, row: FaultyRow) -> int:
        """How many fields the line has; what stands where the header has no name counts as one beyond it."""
        if row.fields is None:
            return self._declared
        return row.fields if row.fields != self._declared else self._declared + 1
