"""A folder into which a department drops its files.

Whoever may write there is not trusted with more: each folder below the drop's own and each file is opened from the one
above without following a link, only regular files are read, and what changes or is replaced meanwhile is noticed.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from threegaps import connections
from threegaps.contracts.model import Contract
from threegaps.contracts.options.sources import FileDropSource
from threegaps.errors import ContractError, FeedError, SettingsError, SourceUnavailableError
from threegaps.landing.backends import CHUNK_BYTES
from threegaps.sources.files import within
from threegaps.sources.folders import UNREADABLE, FolderSource, Stray
from threegaps.sources.names import is_plain
from threegaps.sources.quiet import FoundFile
from threegaps.sources.trouble import Reason

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISDIR, "folders"),
    (stat.S_ISLNK, "links"),
    (stat.S_ISFIFO, "pipes"),
    (stat.S_ISSOCK, "sockets"),
)

_Seen = tuple[int, int, int, int]


class FileDrop(FolderSource):
    """The department's folder within the drop; see `open_drop`."""

    def __init__(self, contract: Contract, root: Path) -> None:
        if not isinstance(contract.source, FileDropSource):
            raise ContractError("The feed is not dropped as files.", feed=contract.feed)
        super().__init__(contract, contract.source.folder or contract.department)
        self._root = root

    def knock(self) -> None:
        """Open the drop's own folder.

        Raises:
            SourceUnavailableError: It is not there, or may not be read.
        """
        with self._in_our_words(), self._opened(""):
            pass  # that it opens is all that is asked

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._unreadable(Reason("unreachable", *_said(error))) from None

    def _entries(self, folder: str) -> Generator[FoundFile | Stray | None, None, None]:
        with self._opened(folder) as opened, os.scandir(opened) as entries:
            for entry in entries:
                try:
                    status = os.stat(entry.name, dir_fd=opened, follow_symlinks=False)
                except FileNotFoundError:
                    yield None
                    continue
                kind = _kind_of(status)
                if kind is not None:
                    yield Stray(kind)
                else:
                    yield self._found(folder, entry.name, status) if is_plain(entry.name) else UNREADABLE

    def _is_there(self, folder: str) -> bool:
        try:
            with self._opened(folder):
                return True
        except FileNotFoundError:
            return False

    def _without_folder(self, folder: str) -> FeedError:
        return self._unreadable(Reason("not_there", f"there is no folder {folder}", f"没有文件夹 {folder}"))

    def _unreadable(self, reason: Reason) -> SourceUnavailableError:
        """The error for a drop folder, or something in it, that cannot be read: no system is asked for it."""
        return SourceUnavailableError(
            f"The drop folder cannot be read: {reason.en}.",
            feed=self._contract.feed,
            connection_id=self._contract.connection_id,
            advice="see that it is where the connection says and may be read; the task can simply be run again.",
            message_zh=f"投递文件夹无法读取:{reason.zh}。",
            cause=reason.cause,
        )

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        """The folder *name* below the drop's own, reached without following a link.

        Raises:
            OSError: It is not there, is no folder, or a link leads to it.
        """
        folder = os.open(self._root, _FOLDER)
        try:
            for step in filter(None, name.split("/")):
                below = os.open(step, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = below
            yield folder
        finally:
            os.close(folder)

    def _found(self, folder: str, name: str, status: os.stat_result) -> FoundFile:
        return FoundFile(
            name=name,
            size_bytes=status.st_size,
            modified_at=dt.datetime.fromtimestamp(status.st_mtime, dt.UTC),
            chunks=self._chunks(folder, name, _seen(status)),
        )

    def _chunks(self, folder: str, name: str, seen: _Seen) -> Callable[[], Iterable[bytes]]:
        def read() -> Iterator[bytes]:
            try:
                with self._opened(folder) as parent:
                    # Not blocking: a pipe that has taken the file's place would keep us waiting for a writer.
                    descriptor = os.open(
                        name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent
                    )
                with os.fdopen(descriptor, "rb", buffering=0) as file:
                    self._refuse_change(os.fstat(descriptor), seen, name)
                    yield from within(self._contract, name, iter(lambda: file.read(CHUNK_BYTES) or b"", b""))
                    self._refuse_change(os.fstat(descriptor), seen, name)
            except OSError as error:
                en, zh = _said(error)
                raise self._unreadable(Reason("unreachable", f"{name}, {en}", f"{name},{zh}")) from None
            try:
                with self._opened(folder) as parent:
                    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            except OSError:
                raise self._changed(name) from None
            self._refuse_change(status, seen, name)

        return read

    def _refuse_change(self, status: os.stat_result, seen: _Seen, name: str) -> None:
        if _kind_of(status) is not None or _seen(status) != seen:
            raise self._changed(name)


@contextmanager
def open_drop(contract: Contract) -> Iterator[FileDrop]:
    """The drop folder of *contract*'s connection: below it the folder that the contract names, else the department's.

    Raises:
        SettingsError: The connection has no path.
    """
    connection = connections.get(contract.connection_id)
    path = connection.extra.get("path")
    if not path:
        raise SettingsError(
            f"The connection {contract.connection_id!r} has no path.", advice='give it the extra {"path": "/…"}.'
        )
    yield FileDrop(contract, Path(path))


def _kind_of(status: os.stat_result) -> str | None:
    """What a name stands for where it is no regular file."""
    if stat.S_ISREG(status.st_mode):
        return None
    return next((kind for is_kind, kind in _KINDS if is_kind(status.st_mode)), "devices")


def _seen(status: os.stat_result) -> _Seen:
    """By what a file is known to be the same and unchanged."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _said(error: OSError) -> tuple[str, str]:
    """What the operating system says of a failure, to stand in an English and in a Chinese sentence."""
    said = error.strerror or type(error).__name__
    return said, f"系统提示 {said}"
