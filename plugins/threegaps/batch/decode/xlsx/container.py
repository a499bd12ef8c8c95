"""The zip archive that a workbook is, within limits; anything else is named with its remedy."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NoReturn

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.kinds import FIRST_BYTES, kind_of
from threegaps.batch.decode.opened import check_expanded
from threegaps.batch.decode.refusals import refuse_empty, refuse_over_limit
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError

_CHUNK = 1 << 16
_MOST_ENTRIES = 10_000
_LARGEST_DIRECTORY = 4 << 20
_END_OF_DIRECTORY = b"PK\x05\x06"
_END_BYTES = 22 + 65_535
_PASSWORD_STREAM = "EncryptedPackage".encode("utf-16-le")


class Container:
    """A workbook's archive.

    Args:
        contract: The feed's contract.
        part: The landed object.
        archive: Its zip archive, whose directory has been checked.
    """

    def __init__(self, contract: Contract, part: Part, archive: zipfile.ZipFile) -> None:
        self._contract, self._part, self._archive = contract, part, archive
        self._entries = {_plain(entry.filename): entry for entry in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        """Whether there is a part of this name, in whatever case."""
        return _plain(name) in self._entries

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a part.

        Raises:
            FeedError: There is none of this name, or it is cut off or damaged.
        """
        entry = self._entries.get(_plain(name))
        if entry is None:
            self.refuse("a part that it names is missing")
        try:
            with self._archive.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise _cut_off(self._contract, self._part, error) from None

    def refuse(self, why: str) -> NoReturn:
        """Refuse the workbook because of *why*.

        Raises:
            FeedError: Always.
        """
        raise self._damaged(why)

    def _damaged(self, why: str) -> FeedError:
        return FeedError(
            f"The file is no Excel workbook that can be read ({why}).",
            feed=self._contract.feed,
            file=self._part.source_name,
            advice="ask the department to open it and to save it again as .xlsx.",
            sender_advice="open it in a spreadsheet program, and save it again as .xlsx.",
        )


@contextmanager
def open_container(contract: Contract, part: Part) -> Iterator[Container]:
    """The archive of a part that should be a workbook.

    Raises:
        FeedError: It is empty, over a limit, or no workbook: an old one, one with a password, another format.
    """
    with part.open() as raw:
        stream = raw if raw.seekable() else _held(contract, part, raw)
        size = stream.seek(0, io.SEEK_END)
        if not size:
            refuse_empty(contract, part)
        limits = contract.file_format.limits
        if size > limits.compressed_bytes:
            refuse_over_limit(contract, part, "more bytes", "compressedBytes", limits.compressed_bytes)
        stream.seek(0)
        _check_kind(contract, part, stream)
        _check_directory(contract, part, stream, size)
        try:
            archive = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OSError) as error:
            raise _cut_off(contract, part, error) from None
        with archive:
            _check_entries(contract, part, archive, size)
            yield Container(contract, part, archive)


def _held(contract: Contract, part: Part, raw: BinaryIO) -> BinaryIO:
    """The bytes of a stream that cannot be read from any place, in memory."""
    allowed = contract.file_format.limits.string_characters
    content = raw.read(allowed + 1)
    if len(content) > allowed:
        refuse_over_limit(contract, part, "more bytes than can be held", "stringCharacters", allowed)
    return io.BytesIO(content)


def _check_kind(contract: Contract, part: Part, stream: BinaryIO) -> None:
    first = stream.read(FIRST_BYTES)
    stream.seek(0)
    if first.startswith(b"PK\x03\x04"):
        return
    if first.startswith(b"\xd0\xcf\x11\xe0"):
        if _has(stream, _PASSWORD_STREAM):
            raise _locked(contract, part, "a workbook with a password")
        raise _no_workbook(contract, part, "an old Excel workbook (.xls)")
    raise _no_workbook(contract, part, kind_of(first) or "text or of an unknown kind")


def _has(stream: BinaryIO, mark: bytes) -> bool:
    stream.seek(0)
    before = b""
    while chunk := stream.read(_CHUNK):
        if mark in before + chunk:
            return True
        before = chunk[-len(mark) :]
    return False


def _check_directory(contract: Contract, part: Part, stream: BinaryIO, size: int) -> None:
    """Look at the directory's own size before a library reads all of it."""
    stream.seek(max(0, size - _END_BYTES))
    tail = stream.read(_END_BYTES)
    stream.seek(0)
    place = tail.rfind(_END_OF_DIRECTORY)
    if place < 0 or len(tail) < place + 22:
        raise _cut_off(contract, part)
    entries, directory_bytes = struct.unpack_from("<HI", tail, place + 10)
    if entries > _MOST_ENTRIES or directory_bytes > _LARGEST_DIRECTORY:
        refuse_over_limit(contract, part, "more parts in its archive", "(none: the house's)", _MOST_ENTRIES)


def _check_entries(contract: Contract, part: Part, archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    names = [_plain(entry.filename) for entry in entries]
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise _locked(contract, part, "an archive with a password")
    if len(set(names)) < len(names):
        raise _no_workbook(contract, part, "an archive in which a part stands twice")
    if any(entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for entry in entries):
        raise _no_workbook(contract, part, "an archive of a compression that workbooks have not")
    if "xl/workbook.bin" in names:
        raise _no_workbook(contract, part, "a binary workbook (.xlsb)")
    if "mimetype" in names:
        raise _no_workbook(contract, part, "an OpenDocument file (.ods)")
    if "_rels/.rels" not in names:
        raise _no_workbook(contract, part, "a zip archive without a workbook")
    limits = contract.file_format.limits
    check_expanded(contract, part, limits, sum(entry.file_size for entry in entries), size)
    for entry in entries:
        check_expanded(contract, part, limits, entry.file_size, entry.compress_size)


def _no_workbook(
    contract: Contract,
    part: Part,
    found: str,
    advice: str = "ask the department to save it as an Excel workbook (.xlsx), and to send it again.",
    sender_advice: str = "save it as an Excel workbook (.xlsx).",
) -> FeedError:
    """What the file is, by default one of another format that a spreadsheet program saves as a workbook."""
    return FeedError(
        f"The file is no Excel workbook that can be read: it is {found}.",
        feed=contract.feed,
        file=part.source_name,
        advice=advice,
        sender_advice=sender_advice,
    )


def _locked(contract: Contract, part: Part, found: str) -> FeedError:
    return _no_workbook(
        contract,
        part,
        found,
        advice="ask the department to save it as an Excel workbook (.xlsx) without a password, and to send it again.",
        sender_advice="save it as an Excel workbook (.xlsx) without a password.",
    )


def _cut_off(contract: Contract, part: Part, error: Exception | None = None) -> FeedError:
    """That the archive ends before its directory, or that of *error*, which its reader met."""
    return _no_workbook(
        contract,
        part,
        "a cut off archive" if error is None else f"a damaged or cut off archive ({type(error).__name__})",
        advice="ask the department to export or copy it again, and to send the whole file.",
        sender_advice="export or copy it again, and use the whole file.",
    )


def _plain(name: str) -> str:
    """A part's name as workbooks mean it: whatever the slashes and the case."""
    return name.replace("\\", "/").lstrip("/").lower()
