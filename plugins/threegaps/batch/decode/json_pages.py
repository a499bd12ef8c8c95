"""Answers of a paged interface, one JSON document a line, in the order in which they came."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from threegaps.batch.decode.blocks import FaultyRow, Part, TextBlock
from threegaps.batch.decode.faults import Fault, FaultKind
from threegaps.batch.decode.header import Header, check_header, complete_frame, match_header
from threegaps.batch.decode.layout import Layout, json_layout
from threegaps.batch.decode.opened import Counted
from threegaps.batch.decode.refusals import is_another_encoding, refuse_empty, refuse_encoding, refuse_over_limit
from threegaps.batch.storable import is_storable
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import JsonPagesFormat
from threegaps.contracts.options.sources import HttpSource
from threegaps.errors import FeedError
from threegaps.landing.answers import (
    NESTED,
    NO_NUMBER,
    Ambiguous,
    AnswerError,
    Silence,
    number_of,
    parse_answer,
    rows_at,
    value_at,
)

_BAD_BYTE = re.compile("[\udc80-\udcff]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def decode_json_pages(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The records of whole pages, in blocks of about *block_bytes* of JSON.

    Raises:
        FeedError: The file is empty, a page is cut off, is over a limit, holds no list of records or is in another
            encoding, or records have not the declared columns.
    """
    declared, layout = json_layout(contract, part)
    reader = _Reader(contract, part, declared, layout)
    answers = _Answers(contract, part, declared)
    held: list[tuple[int, dict[str, Any]]] = []
    size = page = 0
    allowed = declared.limits.answer_bytes
    with part.open() as raw:
        stream = io.BufferedReader(Counted(contract, part, raw))
        for line in iter(lambda: stream.readline(allowed + 1), b""):
            if len(line) > allowed:
                refuse_over_limit(contract, part, "an answer of more bytes", "answerBytes", allowed)
            if not line.strip():
                continue
            page += 1
            held.extend((page, record) for record in answers.records(line, page))
            size += len(line)
            if size >= block_bytes:
                yield reader.read(held)
                held, size = [], 0
    if not page:
        refuse_empty(contract, part)
    if held or not reader.rows_before:
        yield reader.read(held)
    reader.finish()


class _Answers:
    """Takes the records out of the answers of one part, in order."""

    def __init__(self, contract: Contract, part: Part, declared: JsonPagesFormat) -> None:
        self._contract, self._part, self._declared = contract, part, declared
        self._came = 0
        source = contract.source
        total = source.total if isinstance(source, HttpSource) else None
        self._own_total = None if total is None or total.interface is not None else total.path
        # What another interface announced was compared when the answers were fetched, and is not in them.
        self._silence: Silence = (
            "missing" if total is not None and total.interface is not None
            else "null" if contract.delivery_kind == "changes"
            else "nothing"
        )  # fmt: skip

    def records(self, line: bytes, page: int) -> list[dict[str, Any]]:
        """The records of the answer in *line*, which is the *page*-th.

        Raises:
            FeedError: It is cut off, or holds no list of records.
        """
        declared = self._declared
        try:
            document = parse_answer(line.rstrip(b"\r\n"), declared.encoding)
            written = None if self._own_total is None else value_at(document, self._own_total)
            announced = None if written is None else number_of(written)
            silence = self._silence if announced is None else "nothing"
            records = rows_at(document, declared.rows, announced=announced, came=self._came, silence=silence)
        except AnswerError as error:
            raise FeedError(
                f"Page {page} cannot be read: {error}.",
                feed=self._contract.feed,
                file=self._part.source_name,
                advice="fetch it again; if it says the same, compare the interface's answer with the contract.",
                sender_advice="compare the answer with the contract, and mend the interface.",
            ) from None
        if not all(isinstance(record, dict) for record in records):
            raise FeedError(
                f"Page {page} holds no list of rows at {'.'.join(declared.rows)}.",
                feed=self._contract.feed,
                file=self._part.source_name,
                advice="compare the interface's answer with the contract.",
                sender_advice="compare the answer with the contract, and mend the interface.",
            )
        self._came += len(records)
        return records


class _Reader:
    """Reads the records of one part in order.

    ``rows_before`` counts those read so far.
    """

    def __init__(self, contract: Contract, part: Part, declared: JsonPagesFormat, layout: Layout) -> None:
        self._contract, self._part, self._declared, self._layout = contract, part, declared, layout
        # Anywhere else true is no 1: it stays what it says, for the rules to refuse.
        self._booleans = frozenset(column.name for column in contract.columns if column.logical_type == "boolean")
        self._bad_rows, self._first_bad_row = 0, 0
        self.rows_before = 0

    def read(self, records: list[tuple[int, dict[str, Any]]]) -> TextBlock:
        """A block of these records, each with its page."""
        sources = self._sources(records)
        names = list(self._layout.columns)
        columns: dict[str, list[str | None]] = {name: [] for name in names}
        numbers: list[int] = []
        pages: list[int] = []
        faulty: list[FaultyRow] = []
        for number, (page, record) in enumerate(records, self.rows_before + 1):
            values, faults = self._read(record, sources)
            if faults:
                faulty.append(FaultyRow(number, page, tuple(faults), values))
                continue
            numbers.append(number)
            pages.append(page)
            for name in names:
                columns[name].append(values[name])
        series = {name: pl.Series(name, texts, dtype=pl.String) for name, texts in columns.items()}
        frame = complete_frame(self._contract, series, len(numbers), self._layout.values)
        block = TextBlock(
            self._part,
            frame,
            pl.Series("row_number", numbers, dtype=pl.Int32),
            len(records),
            faulty=faulty,
            lines=pl.Series("line", pages, dtype=pl.Int64),
        )
        self.rows_before += len(records)
        self._check()
        return block

    def finish(self) -> None:
        """Refuse answers that are wholly in another encoding.

        Raises:
            FeedError: They are.
        """
        if 1 < self.rows_before == self._bad_rows:
            refuse_encoding(self._contract, self._part, self._declared.encoding, self._first_bad_row)

    def _sources(self, records: list[tuple[int, dict[str, Any]]]) -> Mapping[str, tuple[str, ...]]:
        """By column the keys under which the records have it.

        Raises:
            FeedError: No record has a column's key, or one has a key that the contract does not know.
        """
        keys = sorted({key for _, record in records for key in record})
        header = match_header(self._layout, keys)
        if records:
            # Of later records some may lack a column: those are refused one by one.
            check_header(self._contract, self._part, header if not self.rows_before else _known(header),
                         have_positions=False)  # fmt: skip
        found = dict(zip(keys, header.canonical, strict=True))
        return {name: tuple(key for key in keys if found[key] == name) for name in self._layout.columns}

    def _read(
        self, record: dict[str, Any], sources: Mapping[str, tuple[str, ...]]
    ) -> tuple[dict[str, str | None], list[Fault]]:
        values: dict[str, str | None] = {}
        faults: list[Fault] = []
        twice = record.twice if isinstance(record, Ambiguous) else frozenset()
        for name, keys in sources.items():
            given = [key for key in keys if key in record]
            values[name] = None
            if not given:
                if self._declared.missing_keys == "refuse":
                    faults.append(Fault(FaultKind.KEY_MISSING, name))
                continue
            if len(given) > 1 or given[0] in twice:
                faults.append(Fault(FaultKind.KEY_TWICE, name))
                continue
            values[name], kind = self._text(name, record[given[0]])
            if kind is not None:
                faults.append(Fault(kind, name))
        if any(fault.kind is FaultKind.BYTES for fault in faults):
            self._bad_rows += 1
            self._first_bad_row = self._first_bad_row or self.rows_before + 1
        return values, faults

    def _text(self, name: str, value: Any) -> tuple[str | None, FaultKind | None]:
        """A value of a column as text; with what is wrong with it, as far as it can be shown."""
        if value is None:
            return None, None
        if isinstance(value, bool):
            return (str(int(value)) if name in self._booleans else json.dumps(value)), None
        if not isinstance(value, str):
            if _is_nested(value, self._declared.limits.depth):
                return None, FaultKind.NESTED
            value = json.dumps(value, ensure_ascii=False)
        elif value in {NESTED, NO_NUMBER}:
            return None, FaultKind.NESTED if value == NESTED else FaultKind.NO_NUMBER
        if len(value) > self._declared.limits.cell_characters:
            return None, FaultKind.TOO_LONG
        if is_storable(value):
            return value, None
        shown = _UNSTORABLE.sub("\ufffd", value)
        if _BAD_BYTE.search(value):
            return shown, FaultKind.BYTES
        return shown, FaultKind.NUL if "\0" in value else FaultKind.HALF_CHARACTER

    def _check(self) -> None:
        rows, bad, limits = self.rows_before, self._bad_rows, self._declared.limits
        if is_another_encoding(bad, rows):
            refuse_encoding(self._contract, self._part, self._declared.encoding, self._first_bad_row)
        if rows > limits.rows:
            refuse_over_limit(self._contract, self._part, "more rows", "rows", limits.rows)


def _known(header: Header) -> Header:
    return Header(header.canonical, (), header.unknown, header.untimely, header.blank)


def _is_nested(value: Any, levels: int) -> bool:
    """Whether *value* is nested more than *levels* deep, or was cut off for it."""
    level = [value]
    for _ in range(levels):
        inner = (
            inner_value for outer in level for inner_value in (outer.values() if isinstance(outer, dict) else outer)
        )
        level = [inner_value for inner_value in inner if isinstance(inner_value, dict | list) or inner_value == NESTED]
        if NESTED in level:
            return True
        if not level:
            return False
    return True
