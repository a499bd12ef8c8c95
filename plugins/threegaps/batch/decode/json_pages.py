"""Answers of a paged interface, one JSON document a line, in the order in which they came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from threegaps.batch.decode.blocks import Part, TextBlock, consecutive_row_numbers
from threegaps.batch.decode.header import check_header, match_header
from threegaps.batch.decode.refusals import refuse_empty, refuse_nesting, refuse_nul, refuse_text
from threegaps.batch.storable import is_storable
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import JsonPagesFormat
from threegaps.errors import ContractError, FeedError
from threegaps.landing.answers import AnswerError, parse_answer, rows_at

# Escapes that may say what no text of the warehouse can hold: a NUL, or half a character.
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def decode_json_pages(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The records of whole pages, in blocks of about *block_bytes* of JSON.

    Raises:
        FeedError: The file is empty or holds NULs or half characters, a page is cut off, is nested too deeply or has
            no list of records, or records have not the declared columns.
    """
    declared = _json_format(contract)
    expected = {column.source_name: column.name for column in contract.columns if column.source_name}
    held: list[dict[str, Any]] = []
    size = lines = rows_before = 0
    with part.open() as raw:
        for line in raw:
            if b"\0" in line:
                refuse_nul(contract, part, line, rows_before + len(held), None)
            if not line.strip():
                continue
            lines += 1
            before = rows_before + len(held)
            try:
                records = _records(contract, part, line, declared, lines)
            except RecursionError:
                refuse_nesting(contract, part, before + 1, None)
            if _SUSPECT_ESCAPE.search(line):
                _check_texts(contract, part, records, expected, before)
            held.extend(records)
            size += len(line)
            if size >= block_bytes:
                yield _block(contract, part, held, expected, rows_before)
                rows_before += len(held)
                held, size = [], 0
    if not lines:
        refuse_empty(contract, part)
    if held or not rows_before:
        yield _block(contract, part, held, expected, rows_before)


def _json_format(contract: Contract) -> JsonPagesFormat:
    declared = contract.file_format
    if not isinstance(declared, JsonPagesFormat):
        raise ContractError(f"The file format is {declared.kind}, not json_pages.", feed=contract.feed)
    return declared


def _records(contract: Contract, part: Part, line: bytes, declared: JsonPagesFormat, page: int) -> list[dict[str, Any]]:
    try:
        records = rows_at(parse_answer(line.rstrip(b"\r\n"), declared.encoding), declared.rows) or []
    except AnswerError as error:
        raise FeedError(
            f"Page {page} cannot be read: {error}.",
            feed=contract.feed,
            file=part.source_name,
            advice="fetch it again; if it says the same, compare the interface's answer with the contract.",
        ) from error
    if not all(isinstance(record, dict) for record in records):
        raise FeedError(
            f"Page {page} holds no list of rows at {'.'.join(declared.rows)}.",
            feed=contract.feed,
            file=part.source_name,
            advice="compare the interface's answer with the contract.",
        )
    return records


def _check_texts(
    contract: Contract, part: Part, records: list[dict[str, Any]], expected: dict[str, str], rows_before: int
) -> None:
    for number, record in enumerate(records, rows_before + 1):
        for name, value in record.items():
            column = expected.get(name)
            if not (is_storable(name) and is_storable(_as_text(contract, part, value, number, column))):
                refuse_text(contract, part, number, column)


def _block(
    contract: Contract, part: Part, records: list[dict[str, Any]], expected: dict[str, str], rows_before: int
) -> TextBlock:
    names = {name for record in records for name in record}
    if records:
        check_header(contract, part, match_header(contract, sorted(names)))
    columns = {
        canonical: [
            None if (value := record.get(source)) is None else _as_text(contract, part, value, number, canonical)
            for number, record in enumerate(records, rows_before + 1)
        ]
        for source, canonical in expected.items()
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return TextBlock(part, frame, consecutive_row_numbers(rows_before, frame.height), len(records))


def _as_text(contract: Contract, part: Part, value: Any, row: int, column: str | None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        refuse_nesting(contract, part, row, column)
