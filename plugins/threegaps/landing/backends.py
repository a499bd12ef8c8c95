"""The stores that landed bytes can lie in: a local folder, or any that Airflow's ObjectStoragePath reaches."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import unquote, urlsplit

from threegaps.errors import SettingsError

CHUNK_BYTES = 1 << 20


class Backend(Protocol):
    """The few things that landing asks of a store; names are relative, with ``/``."""

    def uri(self, name: str) -> str:
        """The full address of *name*."""

    def create(self, name: str) -> BinaryIO:
        """Open *name* for writing, over whatever a cut-off arrival left there."""

    def open(self, uri: str) -> BinaryIO:
        """Open an address for reading."""

    def delete(self, uri: str) -> None:
        """Delete an address; nothing happens when it is not there."""

    def names(self, folder: str, suffix: str) -> list[str]:
        """The names below *folder* that end with *suffix*, in order; none where there is no such folder."""


class LocalFolder:
    """A folder of this machine, or of a volume that all workers share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def uri(self, name: str) -> str:
        return (self._root / name).absolute().as_uri()

    def create(self, name: str) -> BinaryIO:
        path = self._root / name
        self._make_private(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return os.fdopen(descriptor, "wb", buffering=CHUNK_BYTES)

    def open(self, uri: str) -> BinaryIO:
        return self._path(uri).open("rb")

    def delete(self, uri: str) -> None:
        self._path(uri).unlink(missing_ok=True)

    def names(self, folder: str, suffix: str) -> list[str]:
        found = (self._root / folder).rglob(f"*{suffix}")
        return sorted(path.relative_to(self._root).as_posix() for path in found)

    def _make_private(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for part in reversed(missing):
            part.mkdir(mode=0o700, exist_ok=True)

    @staticmethod
    def _path(uri: str) -> Path:
        return Path(unquote(urlsplit(uri).path))


class ObjectStore:
    """Any store that ObjectStoragePath knows, like ``s3://connection@bucket/landing``."""

    def __init__(self, uri: str) -> None:
        from airflow.sdk import ObjectStoragePath

        self._path: Callable[[str], Any] = ObjectStoragePath
        try:
            self._root = ObjectStoragePath(uri)
        except ValueError:
            raise SettingsError(
                "THREEGAPS_LANDING_URI names a store of no kind that is known here.",
                advice="write a folder, or a store like s3://connection@bucket/landing.",
            ) from None

    def uri(self, name: str) -> str:
        return str(self._root / name)

    def create(self, name: str) -> BinaryIO:
        return cast(BinaryIO, (self._root / name).open("wb"))

    def open(self, uri: str) -> BinaryIO:
        return cast(BinaryIO, self._path(uri).open("rb"))

    def delete(self, uri: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._path(uri).unlink()

    def names(self, folder: str, suffix: str) -> list[str]:
        found = (self._root / folder).rglob(f"*{suffix}")
        return sorted(str(path).removeprefix(str(self._root)).lstrip("/") for path in found)
