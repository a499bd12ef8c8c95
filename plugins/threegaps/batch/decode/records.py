"""Lines taken apart one by one: what is wrong with one of them is its own, and the next begins on the next line.

A quote that is not closed would swallow what follows it. So a record that spans lines is believed only where it ends
within the limit, has as many fields as the header, and holds no text line that looks like a row of its own; else the
line with the quote is refused, and reading goes on behind it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.decode.lines import END_MARK, NEWLINE
from threegaps.contracts.options.formats import CsvFormat
from threegaps.standards.white_space import is_blank

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BAD_BYTES = "\udcff"
_NOTHING: list[str] = []


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it stands in the file.

    Args:
        line: Its first line, from 0.
        lines: How many lines it has.
        fields: Its fields, with ``\ufffd`` for what could not be read; None where they cannot be told apart.
        faults: What is wrong, each with the position of its field; None where that is not known.
    """

    line: int
    lines: int
    fields: list[str] | None
    faults: tuple[tuple[FaultKind, int | None], ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to see in it."""
        return self.fields is not None and all(is_blank(text) for text in self.fields)


class Lines:
    """The lines of a block as text, decoded when they are looked at."""

    def __init__(self, block: bytes) -> None:
        self._raw = block.split(NEWLINE)
        if self._raw and not self._raw[-1]:
            self._raw.pop()
        self._texts: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._raw)

    def text(self, line: int) -> str:
        """The text of *line* without its end; bytes that are no text of the encoding are marked."""
        if line not in self._texts:
            raw = self._raw[line].removesuffix(b"\r")
            while raw.startswith((_BYTE_ORDER_MARK, END_MARK)):
                # Files that were put together bring the marks of their ends and beginnings along.
                raw = raw.removeprefix(_BYTE_ORDER_MARK).removeprefix(END_MARK)
            self._texts = {line: raw.decode("utf-8", "threegaps.marked")}
        return self._texts[line]

    def is_empty(self, line: int) -> bool:
        """Whether *line* has nothing at all in it."""
        return self._raw[line] in {b"", b"\r"}

    def size(self, first: int, end: int) -> int:
        """How many bytes the lines from *first* up to *end* have with their ends."""
        return sum(len(self._raw[line]) + 1 for line in range(first, end))


def records_of(lines: Lines, declared: CsvFormat, width: int, *, is_last: bool) -> Iterator[Record]:
    """The records of *lines*; those at the end whose quotes may still be closed by lines to come are left out.

    Args:
        lines: The lines of a block.
        declared: The format.
        width: How many fields the header has.
        is_last: Whether no lines are to come.
    """
    line = 0
    while line < len(lines):
        record = _record(lines, line, declared, width, is_last=is_last)
        if record is None:
            return
        yield record
        line += record.lines


def _record(lines: Lines, line: int, declared: CsvFormat, width: int, *, is_last: bool) -> Record | None:
    if lines.is_empty(line):
        return Record(line, 1, _NOTHING)
    text = lines.text(line)
    if '"' not in text:
        return _checked(line, 1, text.split(declared.delimiter), text, declared, may_break=False)
    if not declared.quoted_newlines:
        return _quoted(lines, line, 1, declared)
    most = declared.limits.record_lines
    feed = _Feed(lines, line, most)
    try:
        fields = next(csv.reader(feed, delimiter=declared.delimiter, strict=True))
    except csv.Error:
        if feed.is_at_end and feed.taken < most and not is_last:
            return None
        return _quoted(lines, line, 1, declared)
    spanned = [lines.text(each) for each in range(line, line + feed.taken)]
    if feed.taken > 1 and (len(fields) != width or _swallows(fields, spanned, declared.delimiter)):
        return _quoted(lines, line, 1, declared)
    return _checked(line, feed.taken, fields, "\n".join(fields), declared)


class _Feed:
    """Lines for the reader of quotes, at most so many; it says how many were taken."""

    def __init__(self, lines: Lines, first: int, most: int) -> None:
        self._lines, self._next, self._end = lines, first, min(first + most, len(lines))
        self.taken = 0
        self.is_at_end = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self._next >= self._end:
            self.is_at_end = True
            raise StopIteration
        text = self._lines.text(self._next)
        self._next += 1
        self.taken += 1
        return f"{text}\n"


def _swallows(fields: list[str], spanned: list[str], delimiter: str) -> bool:
    """Whether the lines of a record look like rows of their own: all of them, or one within a field."""
    delimiters = len(fields) - 1
    if not delimiters:
        return False
    return all(line.count(delimiter) == delimiters for line in spanned) or any(
        line.count(delimiter) >= delimiters for field in fields if "\n" in field for line in field.split("\n")[1:]
    )


def _quoted(lines: Lines, line: int, count: int, declared: CsvFormat) -> Record:
    """A line with quotes by itself."""
    text = lines.text(line)
    try:
        fields = next(csv.reader([text], delimiter=declared.delimiter, strict=True))
    except csv.Error:
        kind = FaultKind.LINE_BREAK if "\r" in text else FaultKind.QUOTE
        if len(text) > declared.limits.cell_characters:
            kind = FaultKind.TOO_LONG
        return Record(line, count, None, ((kind, None),))
    return _checked(line, count, fields, text, declared)


def _checked(
    line: int, count: int, fields: list[str], text: str, declared: CsvFormat, *, may_break: bool = True
) -> Record:
    faults: list[tuple[FaultKind, int | None]] = []
    if _BAD_BYTES in text:
        faults += _marked(fields, _BAD_BYTES, FaultKind.BYTES)
    if "\0" in text:
        faults += _marked(fields, "\0", FaultKind.NUL)
    if "\r" in text and not (may_break and declared.quoted_newlines):
        faults += _marked(fields, "\r", FaultKind.LINE_BREAK)
    if len(text) > declared.limits.cell_characters:
        for place, field in enumerate(fields):
            if len(field) > declared.limits.cell_characters:
                faults.append((FaultKind.TOO_LONG, place))
                fields[place] = ""
    return Record(line, count, fields, tuple(faults))


def _marked(fields: list[str], mark: str, kind: FaultKind) -> list[tuple[FaultKind, int | None]]:
    """Faults of the fields with *mark*, which stops being there."""
    found: list[tuple[FaultKind, int | None]] = []
    for place, field in enumerate(fields):
        if mark in field:
            found.append((kind, place))
            fields[place] = field.replace(mark, "\ufffd")
    return found
