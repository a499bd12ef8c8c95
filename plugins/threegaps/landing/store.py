"""Where landed bytes lie: a local folder, or any object store that Airflow's ObjectStoragePath reaches.

Data is written first and the manifest last, never by rename (object stores have none): bytes without a manifest and
without a row in the ledger are an arrival that was cut off, and nobody reads them. On a local disk folders are 0700
and files 0600: what lies here may be personal.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import unquote, urlsplit

import psycopg

from threegaps.errors import FeedError
from threegaps.ledger.landed import (
    LandedObject,
    ended_before,
    latest_arrivals,
    next_landed_object_id,
    record_copies_ended,
    record_landed_object,
)
from threegaps.settings import local_folder

CHUNK_BYTES = 1 << 20
_MANIFEST = ".manifest.json"


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
        self._root = ObjectStoragePath(uri)

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


@dataclass(frozen=True, slots=True)
class Arrival:
    """A part as a source offers it, before it is fetched.

    Args:
        part: Its name within the delivery: the same part sent again has the same name.
        source_name: What the department calls it.
        chunks: Gives its bytes, in pieces; called once, when the part is fetched.
        is_correction: Whether it adds to the delivery instead of being a piece of it.
        modified_at: When the source says that it was last changed.
        size_bytes: Its size, where the source says so beforehand.
    """

    part: str
    source_name: str
    chunks: Callable[[], Iterable[bytes]]
    is_correction: bool = False
    modified_at: dt.datetime | None = None
    size_bytes: int | None = None
    watermark_from: str | None = None
    watermark_to: str | None = None


class LandingStore:
    """The landing of all feeds below one address."""

    def __init__(self, uri: str) -> None:
        folder = local_folder(uri)
        self._backend: Backend = ObjectStore(uri) if folder is None else LocalFolder(folder)

    def land(
        self, connection: psycopg.Connection[Any], feed: str, delivery: str, arrival: Arrival
    ) -> LandedObject | None:
        """Fetch a part, keep its bytes and enter it in the ledger; None when it equals its latest arrival.

        Args:
            connection: To the warehouse, in autocommit: an arrival is entered only once it lies there whole.

        Raises:
            FeedError: The bytes could not be written; what was written of them is removed.
        """
        latest = latest_arrivals(connection, feed, delivery).get(arrival.part)
        number = 1 if latest is None else latest.arrival_number + 1
        identifier = next_landed_object_id(connection)
        suffix = "".join(PurePosixPath(arrival.source_name).suffixes[-2:])
        name = f"{feed}/{delivery}/{arrival.part}.{number:04d}.{identifier}{suffix}"
        data_uri = self._backend.uri(name)
        try:
            size, digest = self._write(name, arrival)
            if latest is not None and latest.sha256 == digest:
                self._backend.delete(data_uri)
                return None
            landed = LandedObject(
                landed_object_id=identifier,
                feed=feed,
                delivery=delivery,
                part=arrival.part,
                arrival_number=number,
                source_name=arrival.source_name,
                uri=data_uri,
                size_bytes=size,
                sha256=digest,
                is_correction=arrival.is_correction,
                fetched_at=dt.datetime.now(dt.UTC),
                source_modified_at=arrival.modified_at,
                watermark_from=arrival.watermark_from,
                watermark_to=arrival.watermark_to,
                copies_ended_at=None,
            )
            with self._backend.create(f"{name}{_MANIFEST}") as file:
                file.write(_manifest(landed))
        except BaseException as error:
            for left in (data_uri, f"{data_uri}{_MANIFEST}"):
                with contextlib.suppress(OSError):
                    self._backend.delete(left)
            if isinstance(error, OSError) and not isinstance(error, (ConnectionError, TimeoutError)):
                raise FeedError(
                    f"The part could not be written to landing: {error.strerror or error}.",
                    feed=feed,
                    file=arrival.source_name,
                    advice=f"free space or mend the rights of {self._backend.uri(feed)}, then run the task again.",
                ) from error
            raise
        record_landed_object(connection, landed)
        return landed

    def open(self, landed: LandedObject) -> BinaryIO:
        """Open the bytes of an arrival.

        Raises:
            FeedError: They are gone, by retention or otherwise.
        """
        try:
            if landed.copies_ended_at is not None:
                raise FileNotFoundError(landed.uri)
            return self._backend.open(landed.uri)
        except FileNotFoundError as error:
            raise FeedError(
                "The landed bytes are gone.",
                feed=landed.feed,
                file=landed.source_name,
                advice="retention ended them" if landed.copies_ended_at else "fetch the delivery again.",
            ) from error

    def manifests(self, feed: str) -> Iterator[LandedObject]:
        """What the manifests of a feed say has landed, in order of arrival, at the addresses where it lies now.

        Of an arrival that was cut off after its manifest and came again, the later one.

        Raises:
            FeedError: A manifest cannot be read.
        """
        found: dict[tuple[str, str, int], LandedObject] = {}
        for name in self._backend.names(feed, _MANIFEST):
            with self._backend.open(self._backend.uri(name)) as file:
                landed = _landed(file.read(), uri=self._backend.uri(name.removesuffix(_MANIFEST)))
            if landed is None:
                raise FeedError(
                    "The manifest of a landed file cannot be read.",
                    feed=feed,
                    file=name,
                    advice="put it back from a backup of landing; without it, once it is deleted, its file counts as"
                    " not landed.",
                )
            key = (landed.delivery, landed.part, landed.arrival_number)
            if key not in found or found[key].landed_object_id < landed.landed_object_id:
                found[key] = landed
        yield from sorted(found.values(), key=lambda one: one.landed_object_id)

    def check(self, landed: LandedObject) -> None:
        """Read an arrival's bytes and compare them with its manifest.

        Raises:
            FeedError: They are gone, or not what landed.
        """
        digest = hashlib.sha256()
        with self.open(landed) as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        if digest.hexdigest() != landed.sha256:
            raise FeedError(
                f"The landed bytes at {landed.uri} are not those that came from the department.",
                feed=landed.feed,
                file=landed.source_name,
                advice="put the file back from a backup of landing.",
            )

    def end_copies(self, connection: psycopg.Connection[Any], feed: str, before: dt.datetime) -> int:
        """End the copies of arrivals fetched before an instant; how many.

        The bytes are deleted, the manifest is rewritten to say so, and the ledger keeps names, sizes and hashes.
        """
        ended = ended_before(connection, feed, before)
        for landed in ended:
            self._backend.delete(landed.uri)
            gone = replace(landed, copies_ended_at=dt.datetime.now(dt.UTC))
            name = f"{feed}/{landed.delivery}/{PurePosixPath(unquote(urlsplit(landed.uri).path)).name}{_MANIFEST}"
            with self._backend.create(name) as file:
                file.write(_manifest(gone))
            record_copies_ended(connection, landed.landed_object_id)
        return len(ended)

    def _write(self, name: str, arrival: Arrival) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with self._backend.create(name) as file:
            for chunk in arrival.chunks():
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
        return size, digest.hexdigest()


def _manifest(landed: LandedObject) -> bytes:
    values = {name: getattr(landed, name) for name in LandedObject.__slots__}
    return json.dumps(values, default=_text, ensure_ascii=False, indent=1).encode("utf-8")


def _landed(manifest: bytes, *, uri: str) -> LandedObject | None:
    """What a manifest says, at *uri*; None where it is none."""
    try:
        values = json.loads(manifest)
        for name in ("fetched_at", "source_modified_at", "copies_ended_at"):
            values[name] = values[name] and dt.datetime.fromisoformat(values[name])
        landed = LandedObject(**{**values, "uri": uri})
    except (ValueError, TypeError, KeyError):
        return None
    return landed if isinstance(landed.landed_object_id, int) else None


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
