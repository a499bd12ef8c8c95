"""Keys across a batch's blocks, in memory that does not grow with the batch.

A key is known by a 64-bit hash, its row's content by another; with version and position that is 32 bytes a row, kept in
sorted runs in a file without a name. A filter of one bit a hash, of a fixed size, says which keys may have been seen
before; only these are looked up. Two different keys of a batch of thirty million rows share a hash with a chance of
about one in forty thousand.

Which of several rows of a key stays does not depend on the order in which they are read:

- rows that say the same in the same version count once, the others are duplicates;
- rows of one sending (all original parts of a delivery, or one correction) that say different things in the same
  version contradict each other: nobody can tell which is right, so all of them are refused;
- of what remains the highest version stays, of equal versions what arrived last; the others are duplicates.
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
Versions = npt.NDArray[np.int64]

_SEED = 20_250_527
_HASH_BYTES = 8
_FILTER_BYTES = 1 << 25
"""A power of two; of a new key after thirty million others, one in ten looks as if it had been seen."""

_FILTER_SHIFT = np.uint64(64 - _FILTER_BYTES.bit_length() + 1)
_ROW_BITS = np.uint64(32)
_PART_BITS = np.uint64((1 << 31) - 1)
_WITHDRAWN_BIT = np.uint64(63)


@dataclass(frozen=True, slots=True)
class Statements:
    """Rows by what decides among them, an array each.

    ``keys`` and ``contents`` are hashes; ``positions`` say where a row was read, see `positions_of`.
    """

    keys: Hashes
    contents: Hashes
    versions: Versions
    positions: Hashes

    @classmethod
    def joined(cls, several: Sequence[Statements]) -> Statements:
        """All rows of *several*, in order."""
        if not several:
            none = np.zeros(0, dtype=np.uint64)
            return cls(none, none, np.zeros(0, dtype=np.int64), none)
        return cls(
            np.concatenate([run.keys for run in several]),
            np.concatenate([run.contents for run in several]),
            np.concatenate([run.versions for run in several]),
            np.concatenate([run.positions for run in several]),
        )

    @property
    def part_indexes(self) -> npt.NDArray[np.intp]:
        """The index of each row's part among the batch's."""
        return ((self.positions >> _ROW_BITS) & _PART_BITS).astype(np.intp)

    @property
    def withdraws(self) -> Mask:
        """Which rows are withdrawals."""
        return (self.positions >> _WITHDRAWN_BIT).astype(np.bool_)

    def at(self, chosen: Mask | npt.NDArray[np.intp]) -> Statements:
        """The rows that are *chosen*, by a mask or by their indexes."""
        return Statements(self.keys[chosen], self.contents[chosen], self.versions[chosen], self.positions[chosen])


ORIGINALS = 0


@dataclass(frozen=True, slots=True)
class Sendings:
    """Which sending each part of a batch belongs to, and when it arrived, by the part's index.

    Args:
        groups: Parts of one sending have the same number, original parts `ORIGINALS`.
        arrivals: The landed objects' numbers.
    """

    groups: npt.NDArray[np.int64]
    arrivals: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows whose key has come before: they say the same again, or something else (which is settled at the end)."""

    duplicate: Mask
    contested: Mask


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of the rows of contested keys.

    Args:
        wins: Of the contested rows, those that stay.
        refused: Of the contested rows, those that contradict another one; the rest are duplicates.
        firsts: The rows of their keys that had been passed on before they were contested and do not stay.
        first_refused: Which of *firsts* are refused; the others are duplicates.
        contradicted_by: Another row that each refused one contradicts, both by their positions.
    """

    wins: Mask
    refused: Mask
    firsts: Statements
    first_refused: Mask
    contradicted_by: Mapping[int, int]


def positions_of(part_index: int, row_numbers: pl.Series, withdraws: Mask) -> Hashes:
    """Where rows were read, as one number each: whether it withdraws, the part's index, then the row's number."""
    rows = np.uint64(part_index << 32) | row_numbers.to_numpy().astype(np.uint64)
    return rows | withdraws.astype(np.uint64) << _WITHDRAWN_BIT


def part_and_row(position: int) -> tuple[int, int]:
    """The part's index and the row's number that a position stands for."""
    return position >> 32 & 0x7FFF_FFFF, position & 0xFFFF_FFFF


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
    """Hashes of each row's key and of its content, the key included: what the table keeps, and whether it withdraws.

    A running number or a unit as sent, which are used up on the way, make no other content.

    Args:
        contract: The feed's contract.
        columns: A block's columns, normalised and typed.
        pseudonyms: Those of the rows' persons, which stand for the document number; None where there are no persons.
    """
    key = set(contract.key)
    key_columns: list[BlockColumn] = []
    other_columns: list[BlockColumn] = []
    for name in contract.content_columns:
        column = columns[name]
        if name == PERSON_COLUMN and pseudonyms is not None:
            column = BlockColumn(name, pseudonyms, pseudonyms)
        (key_columns if name in key else other_columns).append(column)
    keys = combine_hashes(key_columns)
    contents: Hashes = np.add(keys, combine_hashes(other_columns))
    return keys, contents


@dataclass(frozen=True, slots=True)
class _Run:
    """The new rows of a block: their keys in order, and where in *rows* each of them is."""

    sorted_keys: Hashes
    order: npt.NDArray[np.intp]
    rows: Statements

    def new_rows(self) -> Statements:
        return self.rows if len(self.order) == len(self.rows.keys) else self.rows.at(self.order)


class KeyRegister:
    """The keys seen so far in a batch; used in a ``with``, it gives its file back.

    Args:
        sendings: Of the batch's parts.
        recent_rows: Rows held in memory before they go to the file as one run.
        rows_read: Rows of a run that are read at a time.
    """

    def __init__(self, sendings: Sendings, *, recent_rows: int = 1 << 19, rows_read: int = 1 << 17) -> None:
        self._sendings = sendings
        self._most_recent_rows, self._rows_read = recent_rows, rows_read
        self._filter: npt.NDArray[np.uint8] | None = None
        self._recent: list[_Run] = []
        self._recent_rows = 0
        self._file: IO[bytes] | None = None
        self._written: list[int] = []
        self._contested_firsts: list[Statements] = []

    def __enter__(self) -> KeyRegister:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._filter, self._recent, self._recent_rows, self._file, self._written = None, [], 0, None, []

    def register(self, rows: Statements) -> Repeats:
        """Take in a block's rows, in order: the first of a key is new, what differs from it is contested."""
        size = len(rows.keys)
        repeats = Repeats(np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_))
        suspects = self._maybe_seen(rows.keys)
        if len(suspects):
            suspects = suspects[np.argsort(rows.keys[suspects])]
            for hits, first in self._seen(rows.keys[suspects]):
                self._compare(rows, suspects[hits], first, repeats)
        order = np.argsort(rows.keys)
        sorted_keys = rows.keys[order]
        if (sorted_keys[1:] == sorted_keys[:-1]).any():
            order = np.argsort(rows.keys, kind="stable")
            later = np.flatnonzero(sorted_keys[1:] == sorted_keys[:-1]) + 1
            is_first = np.ones(size, dtype=np.bool_)
            is_first[later] = False
            first_of = np.maximum.accumulate(np.where(is_first, np.arange(size), 0))
            # All rows of a key that an earlier block holds have been compared with that block's.
            later = later[~(repeats.duplicate | repeats.contested)[order[later]]]
            self._compare(rows, order[later], rows.at(order[first_of[later]]), repeats)
        is_repeat = repeats.duplicate | repeats.contested
        if is_repeat.any():
            order = order[~is_repeat[order]]
            sorted_keys = rows.keys[order]
        if len(order):
            self._add(_Run(sorted_keys, order, rows))
        return repeats

    def settle(self, contested: Statements) -> Settled:
        """Decide what becomes of the *contested* rows and of the first ones of their keys: see the module's rule."""
        firsts = Statements.joined(self._contested_firsts)
        firsts = firsts.at(np.unique(firsts.positions, return_index=True)[1])
        rows = Statements.joined([firsts, contested])
        wins, refused, contradicted_by = self._decide(rows)
        count = len(firsts.keys)
        goes = ~wins[:count]
        return Settled(
            wins=wins[count:],
            refused=refused[count:],
            firsts=firsts.at(goes),
            first_refused=refused[:count][goes],
            contradicted_by=contradicted_by,
        )

    def _decide(self, rows: Statements) -> tuple[Mask, Mask, Mapping[int, int]]:
        """Which of *rows*, all of some keys, stay, which contradict each other, and whom each of these does."""
        part_indexes = rows.part_indexes
        groups, arrivals = self._sendings.groups[part_indexes], self._sendings.arrivals[part_indexes]
        order = np.lexsort(
            (rows.positions & ~(np.uint64(1) << _WITHDRAWN_BIT), rows.contents, groups, rows.versions, rows.keys)
        )
        is_same_version = _equals_previous(order, rows.keys, rows.versions, groups)
        is_repeat = is_same_version & _equals_previous(order, rows.contents)
        kept, is_same_version = order[~is_repeat], is_same_version[~is_repeat]
        contradicts = is_same_version.copy()
        contradicts[:-1] |= is_same_version[1:]
        refused = np.zeros(len(rows.keys), dtype=np.bool_)
        refused[kept[contradicts]] = True
        # The one before it says something else in the same version; the first of several has one behind it.
        beside = np.where(is_same_version, np.roll(kept, 1), np.roll(kept, -1))[contradicts]
        pairs = zip(rows.positions[kept[contradicts]].tolist(), rows.positions[beside].tolist(), strict=True)
        candidates = kept[~contradicts]
        candidates = candidates[np.lexsort((arrivals[candidates], rows.versions[candidates], rows.keys[candidates]))]
        is_last = np.ones(len(candidates), dtype=np.bool_)
        is_last[:-1] = rows.keys[candidates][1:] != rows.keys[candidates][:-1]
        wins = np.zeros(len(rows.keys), dtype=np.bool_)
        wins[candidates[is_last]] = True
        return wins, refused, dict(pairs)

    def _compare(self, rows: Statements, own: npt.NDArray[np.intp], first: Statements, repeats: Repeats) -> None:
        """Note of the rows with indexes *own* whether they repeat the *first* ones of their keys or contest them."""
        groups = self._sendings.groups
        same = (rows.contents[own] == first.contents) & (rows.versions[own] == first.versions)
        same &= groups[rows.at(own).part_indexes] == groups[first.part_indexes]
        repeats.duplicate[own[same]] = True
        repeats.contested[own[~same]] = True
        if not same.all():
            self._contested_firsts.append(first.at(~same))

    def _maybe_seen(self, keys: Hashes) -> npt.NDArray[np.intp]:
        """Indexes of keys whose bit in the filter is set, which every key taken in has set."""
        if self._filter is None:
            return np.zeros(0, dtype=np.intp)
        return np.flatnonzero(self._filter[keys >> _FILTER_SHIFT] & _bits(keys))

    def _seen(self, keys: Hashes) -> Iterator[tuple[npt.NDArray[np.intp], Statements]]:
        """Which of the sorted *keys* have been taken in, and what was kept of them, a run after the other."""
        for run in self._recent:
            hits, indexes = _found(run.sorted_keys, keys)
            if len(hits):
                yield hits, run.rows.at(run.order[indexes])
        start = 0
        for rows in self._written:
            for first in range(0, rows, self._rows_read):
                # A run's arrays lie one after the other: all its keys, then what was kept of them.
                read = min(self._rows_read, rows - first)
                run_keys = self._read(start + first, read)
                hits, indexes = _found(run_keys, keys)
                if len(hits):
                    contents, versions, positions = (
                        self._read(start + array * rows + first, read)[indexes] for array in (1, 2, 3)
                    )
                    yield hits, Statements(run_keys[indexes], contents, versions.view(np.int64), positions)
            start += 4 * rows

    def _read(self, first: int, count: int) -> Hashes:
        if self._file is None:
            raise RuntimeError("The register's file is closed.")
        self._file.seek(first * _HASH_BYTES)
        return np.frombuffer(self._file.read(count * _HASH_BYTES), dtype=np.uint64)

    def _add(self, run: _Run) -> None:
        if self._filter is None:
            self._filter = np.zeros(_FILTER_BYTES, dtype=np.uint8)
        # The bytes are by the keys' highest bits and so in their order: each byte's new bits are put together first.
        indexes = run.sorted_keys >> _FILTER_SHIFT
        starts = np.flatnonzero(np.concatenate([[True], indexes[1:] != indexes[:-1]]))
        self._filter[indexes[starts]] |= np.bitwise_or.reduceat(_bits(run.sorted_keys), starts)
        self._recent.append(run)
        self._recent_rows += len(run.order)
        if self._recent_rows >= self._most_recent_rows:
            self._write_recent()

    def _write_recent(self) -> None:
        rows = Statements.joined([run.new_rows() for run in self._recent])
        self._recent, self._recent_rows = [], 0
        order = np.argsort(rows.keys)
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="threegaps-keys-")  # noqa: SIM115  # closed by __exit__
        self._file.seek(0, os.SEEK_END)
        for array in (rows.keys, rows.contents, rows.versions, rows.positions):
            self._file.write(array[order].data)
        self._written.append(len(order))


def _equals_previous(order: npt.NDArray[np.intp], *arrays: npt.NDArray[np.generic]) -> Mask:
    """Of each row in *order*, whether all *arrays* have the same there as in the row before it."""
    equal = np.ones(len(order), dtype=np.bool_)
    equal[:1] = False
    for array in arrays:
        ordered = array[order]
        equal[1:] &= ordered[1:] == ordered[:-1]
    return equal


def _bits(keys: Hashes) -> npt.NDArray[np.uint8]:
    """Each key's bit in its byte of the filter: by the lowest three bits, the byte is by the highest ones."""
    return np.left_shift(np.uint8(1), (keys & np.uint64(7)).astype(np.uint8))


def _found(run: Hashes, keys: Hashes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indexes of the sorted *keys* that the sorted *run* has, and where it has them."""
    low = np.searchsorted(keys, run[0], side="left")
    own = keys[low : np.searchsorted(keys, run[-1], side="right")]
    indexes = np.searchsorted(run, own)
    hits = np.flatnonzero(run[indexes] == own)
    return hits + low, indexes[hits]
