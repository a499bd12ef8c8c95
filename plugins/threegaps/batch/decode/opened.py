"""A part's bytes as they come out of its compression, within the contract's limits."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator
from typing import BinaryIO

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.kinds import FIRST_BYTES, kind_of
from threegaps.batch.decode.refusals import refuse_empty, refuse_kind, refuse_over_limit
from threegaps.contracts.model import Contract
from threegaps.contracts.options.limits import Limits
from threegaps.errors import FeedError

_RATIO_COUNTS_FROM = 2 << 20


class Counted(io.RawIOBase):
    """A stream that counts what is read of it, and refuses to be longer than it may.

    Args:
        contract: The feed's contract.
        part: The landed object.
        raw: Its bytes as they came.
    """

    def __init__(self, contract: Contract, part: Part, raw: BinaryIO) -> None:
        super().__init__()
        self._contract, self._part, self._raw = contract, part, raw
        self._allowed = contract.file_format.limits.compressed_bytes
        self.read_bytes = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """Read into *buffer*; how much.

        Raises:
            FeedError: The file is longer than the contract's limit.
        """
        view = memoryview(buffer)  # type: ignore[arg-type]  # io calls it with a writable buffer
        chunk = self._raw.read(len(view))
        view[: len(chunk)] = chunk
        self.read_bytes += len(chunk)
        if self.read_bytes > self._allowed:
            refuse_over_limit(self._contract, self._part, "more bytes", "compressedBytes", self._allowed)
        return len(chunk)


def expanded(contract: Contract, part: Part, compression: str, chunk_bytes: int) -> Generator[bytes, None, None]:
    """The part's bytes in chunks of at most *chunk_bytes*, decompressed as declared.

    Raises:
        FeedError: It is empty, of another kind, cut off or damaged, or over a limit.
    """
    limits = contract.file_format.limits
    with part.open() as raw:
        counted = Counted(contract, part, raw)
        stream = io.BufferedReader(counted, 1 << 16)
        first = stream.peek(FIRST_BYTES)[:FIRST_BYTES]
        if not first:
            refuse_empty(contract, part)
        found = kind_of(first)
        is_gzip = first.startswith(b"\x1f\x8b")
        if compression == "gzip" and not is_gzip:
            refuse_kind(contract, part, found or "not compressed", "gzip")
        if found is not None and not (is_gzip and compression == "gzip"):
            refuse_kind(contract, part, found, contract.file_format.kind)
        source: io.BufferedIOBase = gzip.GzipFile(fileobj=stream) if compression == "gzip" else stream
        read = 0
        while chunk := _read(contract, part, source, chunk_bytes):
            read += len(chunk)
            check_expanded(contract, part, limits, read, counted.read_bytes)
            yield chunk


def check_expanded(contract: Contract, part: Part, limits: Limits, expanded_bytes: int, compressed_bytes: int) -> None:
    """Refuse a part that grows beyond its limits as it is decompressed.

    Raises:
        FeedError: It does.
    """
    if expanded_bytes > limits.expanded_bytes:
        refuse_over_limit(contract, part, "more bytes once decompressed", "expandedBytes", limits.expanded_bytes)
    if expanded_bytes > _RATIO_COUNTS_FROM and expanded_bytes > limits.ratio * max(compressed_bytes, 1):
        refuse_over_limit(contract, part, "a compression that is too good to be true", "ratio", limits.ratio)


def _read(contract: Contract, part: Part, source: io.BufferedIOBase, chunk_bytes: int) -> bytes:
    try:
        return source.read(chunk_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise FeedError(
            "The archive is cut off or damaged.",
            feed=contract.feed,
            file=part.source_name,
            advice="ask the department to send it again; what arrives is judged anew.",
            sender_advice="compress it anew, and look whether it can be unpacked.",
        ) from None
