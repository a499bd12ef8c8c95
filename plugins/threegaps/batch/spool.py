"""Rows of a feed of changes, held on disk until every version of their keys is known.

Only pseudonymised rows are written, to a folder that is removed at the end, whatever happens.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.batch.uniqueness import Hashes, Repeats

Versions = npt.NDArray[np.int64]


class Spool:
    """Blocks of passed rows in order, with the hashes that tell which of them stay."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="threegaps-spool-")
        self._blocks = 0
        self._keys: list[Hashes] = []
        self._contents: list[Hashes] = []
        self._versions: list[Versions] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def write(
        self,
        accepted: pl.DataFrame,
        source: pl.DataFrame,
        keys: Hashes,
        contents: Hashes,
        versions: Versions,
        touches: pl.DataFrame,
    ) -> None:
        """Hold a block: its rows for the warehouse, their masked source, and what they touch."""
        for name, frame in (("accepted", accepted), ("source", source), ("touches", touches)):
            frame.write_ipc(self._path(self._blocks, name))
        self._blocks += 1
        self._keys.append(keys)
        self._contents.append(contents)
        self._versions.append(versions)

    def read(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]:
        """The blocks in order."""
        for block in range(self._blocks):
            accepted, source, touches = (
                pl.read_ipc(self._path(block, name)) for name in ("accepted", "source", "touches")
            )
            yield accepted, source, touches

    def repeats(self) -> Repeats:
        """Which rows give way: of a key the highest version stays, the first of equals.

        An older version, or the same content again, is a duplicate; other content of the same version conflicts.
        """
        empty = np.zeros(0, dtype=np.bool_)
        if not self._blocks:
            return Repeats(empty, empty)
        keys, contents = np.concatenate(self._keys), np.concatenate(self._contents)
        versions = np.concatenate(self._versions)
        rows = len(keys)
        order = np.lexsort((np.arange(rows), -versions, keys))
        is_first = np.ones(rows, dtype=np.bool_)
        is_first[1:] = keys[order][1:] != keys[order][:-1]
        first_of = order[np.maximum.accumulate(np.where(is_first, np.arange(rows), 0))]
        later = order[~is_first]
        stays = first_of[~is_first]
        conflicts = (versions[later] == versions[stays]) & (contents[later] != contents[stays])
        duplicate, conflicting = np.zeros(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
        duplicate[later[~conflicts]] = True
        conflicting[later[conflicts]] = True
        return Repeats(duplicate, conflicting)

    def _path(self, block: int, name: str) -> Path:
        return Path(self._folder.name) / f"{block:06d}-{name}.arrow"
