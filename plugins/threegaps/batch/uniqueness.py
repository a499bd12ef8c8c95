"""Keys across a batch's blocks, in memory that does not grow with the batch.

A key is known by a 64-bit hash and its row's content by 48 bits of another: sixteen bytes a row, kept in sorted runs
in a file without a name. A filter of one bit a hash, of a fixed size, says which keys may have been seen before; only
these are looked up. Two different keys of a batch of thirty million rows share a hash with a chance of about one in
forty thousand.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN

Mask = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]

_SEED = 20_250_527
_CONTENT_BITS = np.uint64((1 << 48) - 1)
_MOST_VERSION = (1 << 16) - 1
_HASH_BYTES = 8
_FILTER_BYTES = 1 << 25
"""A power of two; of a new key after thirty million others, one in ten looks as if it had been seen."""

_FILTER_PLACES = np.uint64(_FILTER_BYTES - 1)


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows whose key has come before: with the same content or an older version, or with different content."""

    duplicate: Mask
    conflicting: Mask


def combine_hashes(columns: Sequence[BlockColumn]) -> Hashes:
    """64-bit hashes of all that the columns say, a row each.

    Each value's hash is multiplied by an odd number of its column's and added up; where a column has a dictionary,
    its values are hashed once.
    """
    total = np.zeros(len(columns[0].typed) if columns else 0, dtype=np.uint64)
    for column in columns:
        multiplier = np.uint64((zlib.crc32(column.name.encode()) << 32 | zlib.crc32(column.name[::-1].encode())) | 1)
        if column.dictionary is None or column.typed_values is None:
            hashes = column.typed.hash(_SEED).to_numpy()
        else:
            hashes = column.typed_values.hash(_SEED).to_numpy()[column.dictionary.codes]
        total += hashes * multiplier
    return total


def row_hashes(
    contract: Contract, columns: Mapping[str, BlockColumn], pseudonyms: pl.Series | None
) -> tuple[Hashes, Hashes]:
    """Hashes of each row's key and of its content, the key included.

    Args:
        contract: The feed's contract.
        columns: A block's columns, normalised and typed.
        pseudonyms: Those of the rows' persons, which stand for the document number; None where there are no persons.
    """
    key = set(contract.key)
    key_columns: list[BlockColumn] = []
    other_columns: list[BlockColumn] = []
    for name, column in columns.items():
        if name == PERSON_COLUMN and pseudonyms is not None:
            column = BlockColumn(name, pseudonyms, pseudonyms)
        (key_columns if name in key else other_columns).append(column)
    keys = combine_hashes(key_columns)
    contents: Hashes = np.add(keys, combine_hashes(other_columns))
    return keys, contents


class KeyRegister:
    """The keys seen so far in a batch; used in a ``with``, it gives its file back.

    Args:
        recent_rows: Rows held in memory before they go to the file as one run.
        rows_read: Rows of a run that are read at a time.
    """

    def __init__(self, *, recent_rows: int = 1 << 19, rows_read: int = 1 << 17) -> None:
        self._most_recent_rows, self._rows_read = recent_rows, rows_read
        self._filter: npt.NDArray[np.uint8] | None = None
        self._recent: list[tuple[Hashes, Hashes]] = []
        self._recent_rows = 0
        self._file: IO[bytes] | None = None
        self._written: list[int] = []

    def __enter__(self) -> KeyRegister:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._filter, self._recent, self._recent_rows, self._file, self._written = None, [], 0, None, []

    def register(self, keys: Hashes, contents: Hashes, versions: npt.NDArray[np.int64]) -> Repeats:
        """Take in a block's rows, in order; among rows of a key the highest version stays, the first of equals.

        A key of an earlier block has already been passed on: a later row of a higher version conflicts with it.
        """
        rows = len(keys)
        packed = (contents & _CONTENT_BITS) | (np.minimum(versions, _MOST_VERSION).astype(np.uint64) << np.uint64(48))
        duplicate, conflicting = np.zeros(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
        suspects = self._maybe_seen(keys)
        if len(suspects):
            suspects = suspects[np.argsort(keys[suspects])]
            for hits, first in self._seen(keys[suspects]):
                self._compare(packed[suspects[hits]], first, suspects[hits], duplicate, conflicting)
        order = np.argsort(keys)
        sorted_keys = keys[order]
        if (sorted_keys[1:] == sorted_keys[:-1]).any():
            order = np.lexsort((np.arange(rows), -versions, keys))
            repeats = np.flatnonzero(sorted_keys[1:] == sorted_keys[:-1]) + 1
            is_first = np.ones(rows, dtype=np.bool_)
            is_first[repeats] = False
            first_of = np.maximum.accumulate(np.where(is_first, np.arange(rows), 0))
            # All rows of a key that an earlier block holds have been compared with that block's.
            repeats = repeats[~(duplicate | conflicting)[order[repeats]]]
            later = order[repeats]
            self._compare(packed[later], packed[order[first_of[repeats]]], later, duplicate, conflicting)
        new = ~(duplicate | conflicting)[order]
        if new.any():
            self._add(sorted_keys[new], packed[order[new]])
        return Repeats(duplicate, conflicting)

    @staticmethod
    def _compare(own: Hashes, first: Hashes, places: npt.NDArray[np.intp], duplicate: Mask, conflicting: Mask) -> None:
        same = (own == first) | (own >> np.uint64(48) < first >> np.uint64(48))
        duplicate[places[same]] = True
        conflicting[places[~same]] = True

    def _maybe_seen(self, keys: Hashes) -> npt.NDArray[np.intp]:
        """Places of keys whose bit in the filter is set, which every key taken in has set."""
        if self._filter is None:
            return np.zeros(0, dtype=np.intp)
        return np.flatnonzero(self._filter[keys & _FILTER_PLACES] & _bits(keys))

    def _seen(self, keys: Hashes) -> Iterator[tuple[npt.NDArray[np.intp], Hashes]]:
        """Which of the sorted *keys* have been taken in, and what was kept of them, a run after the other."""
        for run_keys, run_packed in self._recent:
            hits, places = _found(run_keys, keys)
            yield hits, run_packed[places]
        start = 0
        for rows in self._written:
            for first in range(0, rows, self._rows_read):
                # Both halves of a run lie one after the other: all its keys, then what was kept of them.
                read = min(self._rows_read, rows - first)
                hits, places = _found(self._read(start + first, read), keys)
                if len(hits):
                    yield hits, self._read(start + rows + first, read)[places]
            start += 2 * rows

    def _read(self, first: int, count: int) -> Hashes:
        if self._file is None:
            raise RuntimeError("The register's file is closed.")
        self._file.seek(first * _HASH_BYTES)
        return np.frombuffer(self._file.read(count * _HASH_BYTES), dtype=np.uint64)

    def _add(self, keys: Hashes, packed: Hashes) -> None:
        if self._filter is None:
            self._filter = np.zeros(_FILTER_BYTES, dtype=np.uint8)
        np.bitwise_or.at(self._filter, keys & _FILTER_PLACES, _bits(keys))
        self._recent.append((keys, packed))
        self._recent_rows += len(keys)
        if self._recent_rows >= self._most_recent_rows:
            self._write_recent()

    def _write_recent(self) -> None:
        keys = np.concatenate([run[0] for run in self._recent])
        packed = np.concatenate([run[1] for run in self._recent])
        self._recent, self._recent_rows = [], 0
        order = np.argsort(keys)
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="threegaps-keys-")  # noqa: SIM115  # closed by __exit__
        self._file.seek(0, os.SEEK_END)
        self._file.write(keys[order].data)
        self._file.write(packed[order].data)
        self._written.append(len(keys))


def _bits(keys: Hashes) -> npt.NDArray[np.uint8]:
    """Each key's bit in its byte of the filter: by the top three bits, the byte is by the lowest ones."""
    return np.left_shift(np.uint8(1), (keys >> np.uint64(61)).astype(np.uint8))


def _found(run: Hashes, keys: Hashes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the sorted *keys* that the sorted *run* has, and where it has them."""
    low = np.searchsorted(keys, run[0], side="left")
    own = keys[low : np.searchsorted(keys, run[-1], side="right")]
    places = np.searchsorted(run, own)
    hits = np.flatnonzero(run[places] == own)
    return hits + low, places[hits]
