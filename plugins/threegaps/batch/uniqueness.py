"""Keys across a batch's blocks, in sixteen bytes a row.

A key is known by a 64-bit hash and its row's content by 48 bits of another, kept in sorted runs that are merged as
they grow, like the levels of a log-structured tree. Two different keys of a batch of thirty million rows share a hash
with a chance of about one in forty thousand.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from threegaps.batch.columns import BlockColumn

Mask = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]

_SEED = 20_250_527
_CONTENT_BITS = np.uint64((1 << 48) - 1)
_MOST_VERSION = (1 << 16) - 1
_LARGEST_MERGED = 1 << 19
"""Rows; a longer run is left as it is: merging takes several times its own memory."""


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


class KeyRegister:
    """The keys seen so far in a batch."""

    def __init__(self) -> None:
        self._runs: list[tuple[Hashes, Hashes]] = []

    def register(self, keys: Hashes, contents: Hashes, versions: npt.NDArray[np.int64]) -> Repeats:
        """Take in a block's rows, in order; among rows of a key the highest version stays, the first of equals.

        A key of an earlier block has already been passed on: a later row of a higher version conflicts with it.
        """
        rows = len(keys)
        packed = (contents & _CONTENT_BITS) | (np.minimum(versions, _MOST_VERSION).astype(np.uint64) << np.uint64(48))
        duplicate, conflicting = np.zeros(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
        for run_keys, run_packed in self._runs:
            places = np.minimum(np.searchsorted(run_keys, keys), len(run_keys) - 1)
            hits = np.flatnonzero(run_keys[places] == keys)
            self._compare(packed[hits], run_packed[places[hits]], hits, duplicate, conflicting)
        order = np.lexsort((np.arange(rows), -versions, keys)) if versions.any() else np.argsort(keys, kind="stable")
        sorted_keys = keys[order]
        repeats = np.flatnonzero(sorted_keys[1:] == sorted_keys[:-1]) + 1
        if len(repeats):
            is_first = np.ones(rows, dtype=np.bool_)
            is_first[repeats] = False
            first_of = np.maximum.accumulate(np.where(is_first, np.arange(rows), 0))
            # All rows of a key that an earlier block holds have been compared with that block's.
            repeats = repeats[~(duplicate | conflicting)[order[repeats]]]
            later = order[repeats]
            self._compare(packed[later], packed[order[first_of[repeats]]], later, duplicate, conflicting)
        new = ~(duplicate | conflicting)[order]
        if new.any():
            self._add(sorted_keys[new], packed[order][new])
        return Repeats(duplicate, conflicting)

    @staticmethod
    def _compare(own: Hashes, first: Hashes, places: npt.NDArray[np.intp], duplicate: Mask, conflicting: Mask) -> None:
        same = (own == first) | (own >> np.uint64(48) < first >> np.uint64(48))
        duplicate[places[same]] = True
        conflicting[places[~same]] = True

    def _add(self, keys: Hashes, packed: Hashes) -> None:
        self._runs.append((keys, packed))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= min(2 * len(self._runs[-1][0]), _LARGEST_MERGED):
            (old_keys, old_packed), (new_keys, new_packed) = self._runs[-2:]
            merged = np.concatenate([old_keys, new_keys])
            order = np.argsort(merged, kind="stable")
            self._runs[-2:] = [(merged[order], np.concatenate([old_packed, new_packed])[order])]
