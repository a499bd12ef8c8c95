"""Bytes in blocks that end with a line, so that memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.refusals import refuse_over_limit
from threegaps.contracts.model import Contract

NEWLINE = b"\n"
END_MARK = b"\x1a"
"""What DOS and those who still write like it put behind the last line: neither a row nor a line."""


def line_blocks(contract: Contract, part: Part, chunks: Iterator[bytes], block_bytes: int) -> Iterator[bytes]:
    """Blocks of about *block_bytes* of UTF-8 that end with a line; the end mark behind the last line is left out.

    Raises:
        FeedError: A line is longer than the contract's limit: a file without line ends is not read to its end.
    """
    allowed = contract.file_format.limits.line_bytes
    held: list[bytes] = []
    size = unended = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        end = chunk.rfind(NEWLINE)
        unended = unended + len(chunk) if end < 0 else len(chunk) - end - 1
        if unended > allowed:
            refuse_over_limit(contract, part, "a line of more bytes", "lineBytes", allowed)
        if size < block_bytes or size == unended:
            continue
        block = b"".join(held)
        yield from _checked(contract, part, block[: size - unended], allowed)
        held, size = [block[size - unended :]], unended
    block = b"".join(held)
    last = block.rstrip(b"\r\n")
    if last.endswith(END_MARK):
        block = last.rstrip(END_MARK)
    if block:
        yield from _checked(contract, part, block, allowed)


def has_line_over(block: bytes, limit: int) -> bool:
    """Whether a line of *block* is longer than *limit* bytes: such a line covers one of the places *limit* apart."""
    for place in range(limit, len(block), limit):
        start = block.rfind(NEWLINE, 0, place) + 1
        end = block.find(NEWLINE, place)
        if (len(block) if end < 0 else end) - start > limit:
            return True
    return False


def _checked(contract: Contract, part: Part, block: bytes, allowed: int) -> Iterator[bytes]:
    if has_line_over(block, allowed):
        refuse_over_limit(contract, part, "a line of more bytes", "lineBytes", allowed)
    yield block
