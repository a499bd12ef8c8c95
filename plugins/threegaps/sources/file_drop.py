"""A folder into which a department drops its files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from threegaps import connections
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, SettingsError
from threegaps.landing.backends import CHUNK_BYTES
from threegaps.sources.files import FoundFile, file_names, offer_parts, offer_single
from threegaps.sources.model import Offer, unreachable


class FileDrop:
    """The department's folder within the drop; see `open_drop`."""

    def __init__(self, contract: Contract, folder: Path) -> None:
        self._contract = contract
        self._folder = folder

    def offer(self, delivery: Delivery) -> Offer:
        """What lies there of the delivery."""
        try:
            files = [self._found(path) for path in sorted(self._folder.iterdir()) if path.is_file()]
        except OSError as error:
            raise unreachable(self._contract, f"the drop folder cannot be read ({error.strerror}).") from error
        offered = offer_parts if file_names(self._contract).control else offer_single
        return offered(self._contract, delivery, files)

    def _found(self, path: Path) -> FoundFile:
        status = path.stat()
        return FoundFile(
            name=path.name,
            size_bytes=status.st_size,
            modified_at=dt.datetime.fromtimestamp(status.st_mtime, dt.UTC),
            chunks=self._chunks(path, status.st_size, status.st_mtime_ns),
        )

    def _chunks(self, path: Path, size: int, modified: int) -> Callable[[], Iterable[bytes]]:
        def read() -> Iterator[bytes]:
            try:
                file = path.open("rb")
            except OSError as error:
                raise unreachable(self._contract, f"{path.name} cannot be read ({error.strerror}).") from error
            with file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
            status = path.stat()
            if (status.st_size, status.st_mtime_ns) != (size, modified):
                raise FeedError(
                    "The file changed while it was read: it is still being written.",
                    feed=self._contract.feed,
                    file=path.name,
                    advice="run the task again when the department has finished.",
                )

        return read


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
    yield FileDrop(contract, Path(path) / (getattr(contract.source, "folder", None) or contract.department))
