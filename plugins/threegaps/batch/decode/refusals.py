"""Files that are refused as a whole, whatever their format."""

from __future__ import annotations

from typing import NoReturn

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.header import Header
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError


def refuse_empty(contract: Contract, part: Part) -> NoReturn:
    """Refuse a part that says nothing.

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        "The file is empty.",
        feed=contract.feed,
        file=part.source_name,
        advice="ask the department to send it again.",
    )


def refuse_encoding(contract: Contract, part: Part, encoding: str, row: int) -> NoReturn:
    """Refuse a part that is not in the declared encoding, from its data row *row* on (0 is the header).

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        f"The bytes are not {encoding}, as the contract declares.",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        advice="ask the department which encoding it wrote; if that changed for good, change the contract.",
    )


def refuse_nul(contract: Contract, part: Part, block: bytes, rows_before: int, header: Header | None) -> NoReturn:
    """Refuse a part because of the first NUL byte in *block*, which *rows_before* rows precede.

    Raises:
        FeedError: Always.
    """
    place = block.index(b"\0")
    line_start = block.rfind(b"\n", 0, place) + 1
    row = rows_before + block.count(b"\n", 0, place) + 1
    index = block.count(str(getattr(contract.file_format, "delimiter", ",")).encode(), line_start, place)
    name = header.canonical[index] if header is not None and index < len(header.canonical) else None
    raise FeedError(
        "The file holds NUL bytes.",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        column=name,
        advice="ask the department to write the file again; a transfer may have broken off.",
    )


def refuse_text(contract: Contract, part: Part, row: int, column: str | None) -> NoReturn:
    """Refuse a part because of a text that the warehouse cannot hold, though its bytes are in order.

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        "A text holds a NUL or half a character.",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        column=column,
        advice="ask the department to mend the text and to write the file again.",
    )


def refuse_nesting(contract: Contract, part: Part, row: int, column: str | None) -> NoReturn:
    """Refuse a part whose values stand within values too deeply to be read.

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        "Lists or objects are nested too deeply.",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        column=column,
        advice="ask the department for plain values, as the contract declares them.",
    )


def refuse_fields(contract: Contract, part: Part, row: int, error: Exception) -> NoReturn:
    """Refuse a part because of a line that cannot be split into fields (row 0 is the header).

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        f"The line cannot be split into fields ({error}).",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        advice="ask the department to close its quotes, to end lines with LF or CR LF, to keep fields below 128 KB.",
    ) from error
