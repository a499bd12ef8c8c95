"""The rows of a batch that Great Expectations certifies, with what the column rules said of each.

Which rows these are depends only on landed object and row number: the same batch gives the same sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.batch.columns import BlockColumn, Mask
from threegaps.batch.decode import TextBlock
from threegaps.batch.frames import rows_frame
from threegaps.batch.uniqueness import Hashes, Versions
from threegaps.contracts.model import Rule
from threegaps.rules.frames import SENDING, VERSION

_RANK, _POSITION = "#rank", "#position"
_READ_AT = pl.lit((1 << 63) - 1, dtype=pl.UInt64)
"""The bits of a position that say where a row was read; the highest one says whether it withdraws."""


@dataclass(frozen=True, slots=True)
class SampledRows:
    """Rows in the order in which they were read.

    Args:
        frame: Texts and typed values, with each row's sending and version.
        verdicts: By rule, which rows the forms in columns found unexpected.
        positions: Where each was read, see `threegaps.batch.uniqueness.positions_of`.
    """

    frame: pl.DataFrame
    verdicts: Mapping[str, Mask]
    positions: Hashes

    def passed(self, rules: Iterable[Rule]) -> SampledRows:
        """Those that none of *rules* refuses, without verdicts."""
        passed = np.ones(self.frame.height, dtype=np.bool_)
        for rule in rules:
            if rule.action == "refuse":
                passed &= ~self.verdicts[rule.rule]
        return SampledRows(self.frame.filter(pl.Series(passed)), {}, self.positions[passed])


class Sample:
    """Typed rows for certification: all of a small batch, those with the smallest hashed number of a large one.

    ``is_whole`` says that no row has been left out.

    Args:
        size: The most rows that are certified; up to twice as many are held meanwhile.
        rules: The rules whose verdicts are kept, each with its index among the contract's.
    """

    def __init__(self, size: int, rules: Sequence[tuple[int, Rule]]) -> None:
        self._size = size
        self._rules = rules
        self._held: list[pl.DataFrame] = []
        self._held_rows = 0
        self._limit = np.uint64(np.iinfo(np.uint64).max)
        self.is_whole = True

    def take(
        self,
        block: TextBlock,
        columns: Mapping[str, BlockColumn],
        broken: Mapping[int, Mask],
        *,
        sending: int,
        versions: Versions,
        positions: Hashes,
    ) -> None:
        """Take in the block's rows that belong to the sample.

        Args:
            block: The block as text.
            columns: Its columns, normalised and typed.
            broken: By the index of each rule that any row breaks, the rows that do.
            sending: The number of the sending that the block belongs to.
            versions: The rows' versions.
            positions: Where they were read.
        """
        ranks = _ranks(block.part.landed_object_id, block.row_numbers.to_numpy())
        chosen = np.flatnonzero(ranks <= self._limit)
        if len(chosen) > self._size:
            chosen = chosen[np.argpartition(ranks[chosen], self._size)[: self._size]]
            chosen.sort()
            self.is_whole = False
        indexes = pl.Series(chosen)
        narrowed = {}
        for name, column in columns.items():
            text = _own(column.text.gather(indexes))
            typed = text if column.typed is column.text else _own(column.typed.gather(indexes))
            narrowed[name] = BlockColumn(name, text, typed)
        verdicts = [pl.Series(_verdict_column(index), mask[chosen]) for index, mask in broken.items()]
        frame = rows_frame(narrowed).with_columns(
            pl.repeat(sending, len(chosen), dtype=pl.Int64, eager=True).alias(SENDING),
            pl.Series(VERSION, versions[chosen]),
            *verdicts,
            pl.Series(_RANK, ranks[chosen]),
            pl.Series(_POSITION, positions[chosen]),
        )
        self._held.append(frame)
        self._held_rows += frame.height
        if self._held_rows > 2 * self._size:
            self._shrink()

    def rows(self) -> SampledRows | None:
        """The rows with the verdicts on them; None if there are none."""
        if not self._held:
            return None
        self._shrink()
        frame = self._held[0].sort(pl.col(_POSITION) & _READ_AT)
        none = np.zeros(frame.height, dtype=np.bool_)
        verdicts = {}
        for index, rule in self._rules:
            name = _verdict_column(index)
            verdicts[rule.rule] = frame[name].fill_null(value=False).to_numpy() if name in frame.columns else none
        return SampledRows(frame.select(pl.exclude(r"^#.*$")), verdicts, frame[_POSITION].to_numpy())

    def _shrink(self) -> None:
        frame = pl.concat(self._held, how="diagonal")
        if frame.height > self._size:
            frame = frame.bottom_k(self._size, by=_RANK)
            self._limit = frame[_RANK].to_numpy().max()
            self.is_whole = False
        self._held, self._held_rows = [frame], frame.height


def _verdict_column(index: int) -> str:
    return f"#{index}"


def _own(values: pl.Series) -> pl.Series:
    """The values by themselves: gathered texts keep all the text of their block in memory."""
    return pl.Series(values.name, values.to_list(), dtype=pl.String) if values.dtype == pl.String else values


def _ranks(landed_object_id: int, row_numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """A number for each row that looks random and is always the same (the finaliser of SplitMix64)."""
    mixed = row_numbers.astype(np.uint64) + np.uint64((landed_object_id * 0x9E3779B97F4A7C15) & (2**64 - 1))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
