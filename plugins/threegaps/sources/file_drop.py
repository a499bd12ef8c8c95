"""A folder into which a department drops its files.

Whoever may write there is not trusted with more: each folder below the drop's own and each file is opened from the one
above without following a link, only regular files are read, and what changes or is replaced meanwhile is noticed.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from threegaps import connections
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.options.sources import FileDropSource
from threegaps.errors import ContractError, FeedError, SettingsError, StillBeingWrittenError
from threegaps.landing.backends import CHUNK_BYTES
from threegaps.sources.files import Folder, looks_of, offer_files, within
from threegaps.sources.model import Offer
from threegaps.sources.names import filled, folder_above, is_plain
from threegaps.sources.quiet import FoundFile
from threegaps.sources.trouble import unreachable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISDIR, "folders"),
    (stat.S_ISLNK, "links"),
    (stat.S_ISFIFO, "pipes"),
    (stat.S_ISSOCK, "sockets"),
)

_Seen = tuple[int, int, int, int]


class FileDrop:
    """The department's folder within the drop; see `open_drop`."""

    def __init__(self, contract: Contract, root: Path) -> None:
        if not isinstance(contract.source, FileDropSource):
            raise ContractError("The feed is not dropped as files.", feed=contract.feed)
        self._contract = contract
        self._source = contract.source
        self._template = contract.source.folder or contract.department
        self._root = root
        self._looks = looks_of(contract)
        self._folders: dict[str, Folder | None] = {}

    def offer(self, delivery: Delivery) -> Offer:
        """What lies there of the delivery."""
        name = filled(self._template, delivery)
        if name not in self._folders:
            self._folders[name] = self._listed(name)
        folder = self._folders[name]
        if folder is None:
            return Offer([], waiting_for=f"the folder {name}")
        return offer_files(self._contract, delivery, folder, self._looks)

    def look_again(self) -> None:
        """Forget what folders held."""
        self._folders.clear()

    def _listed(self, name: str) -> Folder | None:
        files: list[FoundFile] = []
        strays: Counter[str] = Counter()
        try:
            with self._opened(name) as folder, os.scandir(folder) as entries:
                for count, entry in enumerate(entries, 1):
                    if count > self._source.most_entries:
                        raise FeedError(
                            f"The folder {name} holds more than {self._source.most_entries} names.",
                            feed=self._contract.feed,
                            advice="ask the department to clear it; more are allowed by the contract's `mostEntries`.",
                        )
                    try:
                        status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    kind = _kind_of(status)
                    if kind is not None:
                        strays[kind] += 1
                    elif not is_plain(entry.name):
                        strays["names that cannot be read"] += 1
                    else:
                        files.append(self._found(name, entry.name, status))
        except FileNotFoundError:
            above = folder_above(self._template)
            if above is not None and self._is_there(above):
                return None
            where = f"{name if above is None else above}"
            raise unreachable(self._contract, f"the drop folder cannot be read (there is no folder {where}).") from None
        except OSError as error:
            raise unreachable(self._contract, f"the drop folder cannot be read ({error.strerror}).") from None
        return Folder(name, files, strays)

    def _is_there(self, folder: str) -> bool:
        try:
            with self._opened(folder):
                return True
        except FileNotFoundError:
            return False

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
                raise unreachable(self._contract, f"{name} cannot be read ({error.strerror}).") from None
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

    def _changed(self, name: str) -> StillBeingWrittenError:
        return StillBeingWrittenError(
            "The file changed while it was read: it is still being written.",
            feed=self._contract.feed,
            file=name,
            advice="it is looked at again by itself.",
        )


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
