"""Landing: what departments sent, byte for byte, each object with its manifest.

Data is written first and the manifest last, never by rename (object stores have none): bytes without a manifest and
without a row in the ledger are an arrival that was cut off, and nobody reads them. On a local disk folders are 0700
and files 0600: what lies here may be personal.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import psycopg

from threegaps.errors import FeedError, LedgerError, ThreeGapsError, UnexpectedError
from threegaps.landing import manifests
from threegaps.landing.backends import CHUNK_BYTES, Backend, LocalFolder, ObjectStore
from threegaps.ledger.landed import (
    LandedObject,
    ended_before,
    latest_arrivals,
    next_landed_object_id,
    record_copies_ended,
    record_landed_object,
)
from threegaps.settings import local_folder


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


_TRIED = ".threegaps-tries-to-write"


class LandingStore:
    """The landing of all feeds below one address."""

    def __init__(self, uri: str) -> None:
        folder = local_folder(uri)
        self._backend: Backend = ObjectStore(uri) if folder is None else LocalFolder(folder)

    def try_writing(self) -> None:
        """Write a byte, read it back and delete it.

        Raises:
            FeedError: One of them fails.
        """
        uri = self._backend.uri(_TRIED)
        try:
            with self._backend.create(_TRIED) as file:
                file.write(b"1")
            with self._backend.open(uri) as file:
                is_whole = file.read() == b"1"
            self._backend.delete(uri)
        except Exception as error:  # noqa: BLE001  # stores raise what they like, and quote keys and addresses
            raise FeedError(
                f"Nothing can be written to landing: {getattr(error, 'strerror', None) or type(error).__name__}.",
                cause="misconfigured",
                advice=f"free space or mend the rights of {self._backend.uri('')}.",
            ) from None
        if not is_whole:
            raise FeedError("What is written to landing does not come back.", cause="misconfigured")

    def land(
        self, connection: psycopg.Connection[Any], feed: str, delivery: str, arrival: Arrival
    ) -> LandedObject | None:
        """Fetch a part, keep its bytes and enter it in the ledger; None when it equals its latest arrival.

        Args:
            connection: To the warehouse, in autocommit: an arrival is entered only once it lies there whole.

        Raises:
            FeedError: The bytes could not be written; what was written of them is removed.
            UnexpectedError: Something else happened while they were fetched; likewise.
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
            with self._backend.create(f"{name}{manifests.SUFFIX}") as file:
                file.write(manifests.written(landed))
        except BaseException as error:
            for left in (data_uri, f"{data_uri}{manifests.SUFFIX}"):
                with contextlib.suppress(OSError):
                    self._backend.delete(left)
            if isinstance(error, OSError) and not isinstance(error, (ConnectionError, TimeoutError)):
                raise FeedError(
                    f"The part could not be written to landing: {error.strerror or type(error).__name__}.",
                    feed=feed,
                    file=arrival.source_name,
                    cause="misconfigured",
                    advice=f"free space or mend the rights of {self._backend.uri(feed)}, then run the task again.",
                ) from None
            if isinstance(error, Exception) and not isinstance(error, ThreeGapsError | psycopg.Error):
                raise UnexpectedError.of(error, feed=feed, file=arrival.source_name) from None
            raise
        record_landed_object(connection, landed)
        return landed

    def land_own(
        self,
        connection: psycopg.Connection[Any],
        feed: str,
        delivery: str,
        prefix: str,
        content: bytes,
        *,
        suffix: str,
    ) -> LandedObject:
        """Keep what we write ourselves beside a delivery, somebody's decision or repairs, as the next part of its kind.

        Args:
            connection: As in `land`.
            prefix: How the part names of its kind begin.
            suffix: How its file's name ends.

        Raises:
            LedgerError: A part of its name lies there already.
            FeedError: As in `land`.
        """
        number = 1 + sum(part.startswith(prefix) for part in latest_arrivals(connection, feed, delivery))
        name = f"{prefix}{number:04d}"
        # Under a name of ours: what the department calls a file that it sent back may say of whom it is.
        landed = self.land(
            connection, feed, delivery, Arrival(name, name + suffix, lambda: [content], is_correction=True)
        )
        if landed is None:
            raise LedgerError(f"Part {name} of {delivery} has landed already.", feed=feed)
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
        except FileNotFoundError:
            raise FeedError(
                "The landed bytes are gone.",
                feed=landed.feed,
                file=landed.source_name,
                advice="retention ended them" if landed.copies_ended_at else "fetch the delivery again.",
            ) from None

    def manifests(self, feed: str) -> Iterator[LandedObject]:
        """What the manifests of a feed say has landed, in order of arrival, at the addresses where it lies now.

        Of an arrival that was cut off after its manifest and came again, the later one.

        Raises:
            FeedError: A manifest cannot be read.
        """
        found: dict[tuple[str, str, int], LandedObject] = {}
        for name in self._backend.names(feed, manifests.SUFFIX):
            with self._backend.open(self._backend.uri(name)) as file:
                landed = manifests.read(file.read(), uri=self._backend.uri(name.removesuffix(manifests.SUFFIX)))
            if landed is None:
                raise FeedError(
                    "The manifest of a landed object cannot be read.",
                    feed=feed,
                    file=name,
                    advice="put it back from a backup of landing; without it, once it is deleted, its file counts as"
                    " not landed.",
                )
            key = (landed.delivery, landed.part, landed.arrival_number)
            if key not in found or found[key].landed_object_id < landed.landed_object_id:
                found[key] = landed
        yield from sorted(found.values(), key=lambda landed: landed.landed_object_id)

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
            self.end_copy(connection, landed)
        return len(ended)

    def end_copy(self, connection: psycopg.Connection[Any], landed: LandedObject) -> None:
        """End the copy of one arrival. Cut off, it is done when it is called again."""
        gone = replace(landed, copies_ended_at=dt.datetime.now(dt.UTC))
        name = PurePosixPath(unquote(urlsplit(landed.uri).path)).name
        # The manifest first: bytes that are gone under a manifest that has them would pass for lost.
        with self._backend.create(f"{landed.feed}/{landed.delivery}/{name}{manifests.SUFFIX}") as file:
            file.write(manifests.written(gone))
        self._backend.delete(landed.uri)
        record_copies_ended(connection, landed.landed_object_id)

    def _write(self, name: str, arrival: Arrival) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with self._backend.create(name) as file:
            for chunk in arrival.chunks():
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
        return size, digest.hexdigest()
