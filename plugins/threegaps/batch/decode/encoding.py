"""Text of the declared encoding as UTF-8, in chunks; what is no text of it stays where it is, found by its line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.header import match_header
from threegaps.batch.decode.kinds import marked_encoding
from threegaps.batch.decode.layout import Layout
from threegaps.batch.decode.refusals import refuse_encoding
from threegaps.contracts.model import Contract

_CANDIDATES = ("utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5")
_MARKED = "threegaps.marked"


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Half a character in place of bytes that are no text: no encoder of UTF-8 lets it pass as one unasked."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff" * (error.end - error.start), error.end


codecs.register_error(_MARKED, _mark)


def utf8_chunks(contract: Contract, part: Part, encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """*chunks* of *encoding* as UTF-8; where bytes are no text of it, the outcome is no valid UTF-8 either.

    Raises:
        FeedError: The file begins with the mark of another encoding.
    """
    declared = codecs.lookup(encoding).name
    decoder = None if declared in {"utf-8", "utf-8-sig"} else codecs.getincrementaldecoder(declared)(_MARKED)
    is_first = True
    for chunk in chunks:
        if is_first:
            _check_mark(contract, part, declared, chunk)
            is_first = False
        # UTF-8 is checked where its lines are parsed.
        yield chunk if decoder is None else decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _check_mark(contract: Contract, part: Part, declared: str, first: bytes) -> None:
    marked = marked_encoding(first)
    if marked is not None and not declared.startswith(marked):
        refuse_encoding(contract, part, declared, 0, found=f"{marked} by its first bytes")


def encoding_that_fits(layout: Layout, first: bytes, declared: str, delimiter: str) -> str | None:
    """An encoding other than the declared one in which the first line is the contract's header; None if none is."""
    for candidate in _CANDIDATES:
        if codecs.lookup(candidate).name == codecs.lookup(declared).name:
            continue
        text = first.decode(candidate, "ignore")
        line = text.partition("\n")[0].rstrip("\r")
        header = match_header(layout, [name.strip('"') for name in line.split(delimiter)])
        if layout.columns and not header.missing and not header.unknown:
            return candidate.removesuffix("-sig")
    return None
