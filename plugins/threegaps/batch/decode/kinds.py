"""What a file is by its first bytes, so that a file of another kind is named instead of misread."""

from __future__ import annotations

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MARKS: tuple[tuple[bytes, str], ...] = (
    (_OLE, "an old Excel workbook (.xls) or one with a password"),
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_TEXT_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML document"),
    (b"<workbook", "an XML document"),
)
ENCODING_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8"),
)
"""Byte order marks, the longest first, and the encoding that each says."""

FIRST_BYTES = 64
"""How many bytes are looked at."""


def kind_of(first: bytes) -> str | None:
    """What a file that begins with *first* is, in words; None where no kind is recognised (text, mostly)."""
    for mark, words in _MARKS:
        if first.startswith(mark):
            return words
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((words for mark, words in _TEXT_MARKS if text.startswith(mark)), None)


def marked_encoding(first: bytes) -> str | None:
    """The encoding that a byte order mark says; None where there is none."""
    return next((encoding for mark, encoding in ENCODING_MARKS if first.startswith(mark)), None)
