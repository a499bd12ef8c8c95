"""What is decoded, a part, and what comes of it, blocks of rows whose values are text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import polars as pl


@dataclass(frozen=True, slots=True)
class Part:
    """One landed object of a batch.

    Args:
        landed_object_id: Its id in the ledger.
        source_name: What the department called it.
        open: Opens its bytes for reading.
        is_correction: Whether it corrects what came before.
        is_replay: Whether it is a file of repairs in our own form: a JSON object a line, with the row's number and
            its texts by canonical name.
    """

    landed_object_id: int
    source_name: str
    open: Callable[[], BinaryIO]
    is_correction: bool = False
    is_replay: bool = False


@dataclass(slots=True)
class TextBlock:
    """Rows of one part as text, by canonical column names.

    ``row_numbers`` counts data rows of the part from 1; ``misshapen`` are rows with too many or too few fields, as
    (row number, fields); ``structural`` counts lines that are no data, by reason; ``is_plain`` says that no text holds
    a comma, a quote or the end of a line.
    """

    part: Part
    frame: pl.DataFrame
    row_numbers: pl.Series
    physical_lines: int
    structural: Counter[str] = field(default_factory=Counter)
    misshapen: list[tuple[int, int]] = field(default_factory=list)
    is_plain: bool = False


def consecutive_row_numbers(rows_before: int, rows: int) -> pl.Series:
    """Numbers of the *rows* rows of a block that *rows_before* rows of its part precede."""
    return pl.int_range(rows_before + 1, rows_before + 1 + rows, dtype=pl.Int32, eager=True).alias("row_number")
