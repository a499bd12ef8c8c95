"""Rows whose key another row of the batch has, held on disk until all of them are known.

Only pseudonymised rows are written, to a folder that is removed at the end, whatever happens.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import polars as pl

from threegaps.batch.uniqueness import Statements


class Spool:
    """Contested rows in the order in which they were read."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._blocks: list[Statements] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def write(self, accepted: pl.DataFrame, touches: pl.DataFrame, statements: Statements) -> None:
        """Hold rows of a block: as the warehouse would have them, what they touch, and what decides among them."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="threegaps-spool-")
        for name, frame in (("accepted", accepted), ("touches", touches)):
            frame.write_ipc(self._path(self._folder, len(self._blocks), name))
        self._blocks.append(statements)

    def statements(self) -> Statements:
        """What decides among all rows held."""
        return Statements.joined(self._blocks)

    def read(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """The blocks in order: rows, and what they touch."""
        for block in range(len(self._blocks)):
            if self._folder is not None:
                yield (
                    pl.read_ipc(self._path(self._folder, block, "accepted")),
                    pl.read_ipc(self._path(self._folder, block, "touches")),
                )

    @staticmethod
    def _path(folder: tempfile.TemporaryDirectory[str], block: int, name: str) -> Path:
        return Path(folder.name) / f"{block:06d}-{name}.arrow"
