"""CSV files in the encoding, delimiter and line end of a department, compressed or not."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

BLOCK_ROWS = 250_000


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How a department writes its file.

    Args:
        fields: Canonical column to header, in the order of the file.
        encoding: As Python calls it; utf-8-sig writes a byte order mark.
        compressed: gzip, without a time in its header, so that bytes are equal for equal seeds.
        total: Whether a last line 合计 says how many rows there are.
        quoted: Whether values that hold a delimiter, a quote or a line end stand in quotes; else none may hold one.
    """

    fields: dict[str, str]
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\n"
    compressed: bool = False
    total: bool = False
    quoted: bool = False


def write_csv(rows: pl.DataFrame, path: Path, layout: CsvLayout) -> pl.DataFrame:
    """Write one file with its header. Returns `rows` with the number of each data row, from 1 (`_row`)."""
    with path.open("wb") as raw:
        if layout.compressed:
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0, filename="") as packed:
                packed.writelines(_pieces(rows, layout))
        else:
            raw.writelines(_pieces(rows, layout))
    return rows.with_columns(_row=pl.int_range(1, pl.len() + 1))


def _pieces(rows: pl.DataFrame, layout: CsvLayout) -> Iterator[bytes]:
    yield (layout.delimiter.join(layout.fields.values()) + layout.line_end).encode(layout.encoding)
    columns = rows.select(*layout.fields)
    for offset in range(0, len(columns), BLOCK_ROWS):
        text = columns.slice(offset, BLOCK_ROWS).write_csv(
            None,
            include_header=False,
            quote_style="necessary" if layout.quoted else "never",
            separator=layout.delimiter,
            line_terminator=layout.line_end,
        )
        yield _encode(text, layout.encoding)
    if layout.total:
        rest = layout.delimiter * (len(layout.fields) - 2)
        yield f"合计{layout.delimiter}{len(rows)}条{rest}{layout.line_end}".encode(layout.encoding)


def _encode(text: str, encoding: str) -> bytes:
    """Only the runs beyond ASCII are encoded anew: they are few."""
    data = text.encode("utf-8")
    if encoding.startswith("utf-8"):
        return data
    return re.sub(rb"[\x80-\xff]+", lambda found: found.group().decode("utf-8").encode(encoding), data)


def write_lines(lines: Iterable[Iterable[str]], path: Path) -> None:
    """Write a table as it was published: UTF-8, comma, quotes where they are needed."""
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target, lineterminator="\n").writerows(lines)
