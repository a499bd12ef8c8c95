"""How much a file or an answer may hold: generous, so that only what is damaged or hostile meets a limit."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from threegaps.contracts.options.base import Option

_MIB, _GIB = 1 << 20, 1 << 30


class Limits(Option):
    """Bounds on what comes from outside; the house's own where a contract says nothing.

    What is over a limit is refused as a whole, at once, except a cell: it costs its row only.

    Args:
        compressed_bytes: Of a file as it came.
        expanded_bytes: Of a file once decompressed; of a workbook, of all its parts together.
        ratio: How often the compressed size the expanded one may be, beyond the first 2 MiB.
        line_bytes: Of one line, in UTF-8.
        record_lines: Lines that one row may span where texts may hold line ends.
        cell_characters: Of one value; Excel itself holds 32,767.
        rows: Of a file.
        columns: Of a header, and the last column in which a sheet may hold a cell.
        cells: With a value, of a workbook.
        strings: Different texts of a workbook.
        string_characters: Of all these texts together.
        merges: Merged areas of a sheet.
        sheets: Of a workbook.
        depth: How deep values of a row may be nested in JSON.
        answer_bytes: Of one answer of an interface.
        lines: Of a file, with those that are no rows.
        noted_lines: Structural lines of a batch whose positions are kept to be looked at.
    """

    compressed_bytes: PositiveInt = 4 * _GIB
    expanded_bytes: PositiveInt = 32 * _GIB
    ratio: PositiveInt = 200
    line_bytes: PositiveInt = _MIB
    record_lines: PositiveInt = 200
    cell_characters: PositiveInt = 100_000
    rows: PositiveInt = 100_000_000
    columns: PositiveInt = 1_000
    cells: PositiveInt = 20_000_000
    strings: PositiveInt = 2_000_000
    string_characters: PositiveInt = 64 * _MIB
    merges: PositiveInt = 20_000
    sheets: PositiveInt = 500
    depth: PositiveInt = Field(default=16, le=100)
    answer_bytes: PositiveInt = 64 * _MIB
    lines: PositiveInt = 200_000_000
    noted_lines: PositiveInt = 10_000
