"""The judgement of a batch: each row is accepted, refused with every reason, or a duplicate.

Blocks come out while later ones are still being read, so the server can load meanwhile; what depends on the whole
batch (certification, batch rules, counts) follows in :meth:`Judgement.finish`, before anything is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import numpy as np
import polars as pl

from threegaps.batch.accepted import accepted_frame, row_versions
from threegaps.batch.batch_rules import batch_checks, counters_judged
from threegaps.batch.certify import FAULT, Certifier
from threegaps.batch.columns import BlockColumn, Mask
from threegaps.batch.decode import Part, TextBlock
from threegaps.batch.faulty_lines import FaultyLines
from threegaps.batch.frames import JudgedFrame
from threegaps.batch.key_hashes import WaitedFor, key_hashes
from threegaps.batch.normalise import Normaliser
from threegaps.batch.persons import Persons, persons_of
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.batch.quarantine import Other, to_copy_csv
from threegaps.batch.reading import BLOCK_BYTES, data_blocks, faulty_block, rows_at, unread_values
from threegaps.batch.refused import RefusedRows
from threegaps.batch.row_rules import Findings, RowRules
from threegaps.batch.sample import Sample, SampledRows
from threegaps.batch.spool import Spool
from threegaps.batch.tally import Tally
from threegaps.batch.touched import Touched
from threegaps.batch.uniqueness import (
    ORIGINALS,
    Hashes,
    KeyRegister,
    Sendings,
    Statements,
    part_and_row,
    positions_of,
    row_hashes,
)
from threegaps.batch.verdict import JudgedBlock, Previous, Verdict
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.reach import at_delivery
from threegaps.errors import CertificationError, FeedError, ThreeGapsError, kind_of

CERTIFIED_ROWS = 20_000


class Judgement:
    """Judges the parts of one batch. One thread at a time may draw from :meth:`blocks`.

    Args:
        contract: The feed's contract.
        parts: The landed objects, in order of arrival.
        batch_id: The batch's id in the ledger.
        delivery: The delivery's key.
        key: The pseudonym key in force.
        previous: The period before, for the batch rules.
        waited_for: Rows that were refused before; the verdict says which of them the batch accepts.
        block_bytes: Size of the blocks in bytes.
    """

    def __init__(
        self,
        contract: Contract,
        parts: Sequence[Part],
        *,
        batch_id: int,
        delivery: str,
        key: PseudonymKey,
        previous: Previous | None = None,
        waited_for: WaitedFor | None = None,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        contract = at_delivery(contract, delivery)
        self.contract = contract
        self.batch_id = batch_id
        self._key = key
        self._previous = previous or Previous()
        self._waited_for, self._settled_keys = waited_for or WaitedFor(), dict[str, int]()
        self._block_bytes = block_bytes
        self._delivery = delivery
        self._parts = tuple(parts)
        self._part_index = {part.landed_object_id: index for index, part in enumerate(parts)}
        self._last_day = Delivery.of_key(delivery).end
        self._normaliser = Normaliser(contract, self._last_day)
        self._rules = RowRules(contract)
        self._tally = Tally(most_noted=contract.file_format.limits.noted_lines)
        self._sendings = _sendings(contract, parts)
        self._register = KeyRegister(self._sendings)
        self._contradicting = np.zeros(0, dtype=np.uint64)
        self._spool = Spool()
        self._refused_rows = RefusedRows(contract, self._rules, batch_id=batch_id, delivery=delivery)
        self._touched = Touched(contract)
        self._sample = Sample(CERTIFIED_ROWS, self._rules.by_themselves)
        self._lines = FaultyLines(contract, CERTIFIED_ROWS)
        self._reading: str | None = None
        self._is_done = False

    def blocks(self) -> Iterator[JudgedBlock]:
        """The judged blocks, in order.

        Raises:
            FeedError: A file cannot be decoded as the contract declares, or its rows cannot be judged.
        """
        if not self._parts:
            raise FeedError("The batch has no file.", feed=self.contract.feed, advice="land the delivery first.")
        try:
            yield from self._blocks()
        except (ThreeGapsError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  # a library's own words may quote the rows
            raise FeedError(
                f"The rows cannot be judged ({kind_of(error)}).",
                feed=self.contract.feed,
                file=self._reading,
                advice="report this with the contract's version: it is a fault of the pipeline that such rows stop it.",
            ) from None

    def _blocks(self) -> Iterator[JudgedBlock]:
        with ExitStack() as held:
            held.enter_context(self._register)
            held.enter_context(self._spool)
            for block in data_blocks(self.contract, self._parts, self._normaliser, self._block_bytes):
                self._reading = block.part.source_name
                yield self._judge(block)
            yield from self._settle()
        self._is_done = True

    def finish(self, *, certify: bool = True) -> Verdict:
        """Certify with Great Expectations, judge the whole batch, and give the verdict.

        Args:
            certify: Let Great Expectations say whether it agrees; a check that loads nothing does without it.

        Raises:
            CertificationError: Great Expectations and the column rules disagree, or it failed.
            FeedError: The blocks have not been drawn to their end.
        """
        try:
            return self._finish(certify=certify)
        except ThreeGapsError:
            raise
        except Exception as error:  # noqa: BLE001  # a library's own words may quote the rows
            raise CertificationError(
                f"The batch could not be certified ({kind_of(error)}).",
                feed=self.contract.feed,
                advice=FAULT,
            ) from None

    def _finish(self, *, certify: bool) -> Verdict:
        tally, contract = self._tally, self.contract
        certifier = Certifier(contract)
        certified: frozenset[str] = frozenset()
        for frame in self.judged_frames() if certify else ():
            certified |= certifier.certify(frame)
        checks = [tally.check(rule, is_certified=rule.rule in certified) for rule in contract.rules]
        checks.extend(batch_checks(contract, tally, self._previous))
        stopping = next((check for check in checks if check.outcome == "stopped"), None)
        rule = next((r for r in (*contract.rules, *contract.batch_rules) if stopping and r.rule == stopping.rule), None)
        return Verdict(
            stopped_by=rule.rule if rule else None,
            message_en=rule.message_en if rule else None,
            message_zh=rule.message_zh if rule else None,
            counts=tally.counts(),
            structural_reasons=dict(tally.structural),
            normalisations=dict(self._normaliser.counts),
            checks=tuple(checks),
            touched=self._touched.intervals(),
            open_rows=tally.open_rows,
            settled_keys=self._settled_keys,
            noted_lines=tuple(tally.noted),
        )

    def _judge(self, block: TextBlock) -> JudgedBlock:
        """Judge a block; rows whose key another row has wait in the spool until all are read."""
        tally, rows = self._tally, block.frame.height
        tally.receive(block)
        faulty = self._refuse_faulty(block) if block.faulty else b""
        if not rows:
            return JudgedBlock(b"", 0, faulty, len(block.faulty), 0)
        columns = self._normaliser.columns(block.frame)
        findings = self._rules.judge(columns, rows)
        persons = persons_of(self.contract, self._key, columns)
        pseudonyms = None if persons is None else persons.pseudonyms
        versions = row_versions(self.contract, self._delivery, columns)
        frame = accepted_frame(self.contract, self.batch_id, block, columns, persons, versions)
        withdraws = frame["_withdrawn"].to_numpy()
        positions = positions_of(self._part_index[block.part.landed_object_id], block.row_numbers, withdraws)
        statements = Statements(*row_hashes(self.contract, columns, pseudonyms), versions, positions)
        self._sample.take(
            block,
            columns,
            findings.broken,
            sending=int(self._sendings.groups[self._part_index[block.part.landed_object_id]]),
            versions=versions,
            positions=positions,
        )
        tally.unexpected.update(findings.unexpected)
        hashes = self._key_hashes(columns, persons)
        refused = faulty + self._refused_rows.write(block, columns, persons, findings, key_hashes=hashes)
        refused_rows = int(np.count_nonzero(findings.refused))
        tally.passed_rows += rows - refused_rows
        tally.refused += refused_rows
        refused_rows += len(block.faulty)
        duplicate, contested = self._find_repeats(~findings.refused, statements)
        is_accepted = ~(findings.refused | duplicate | contested)
        accepted_rows, duplicates = int(np.count_nonzero(is_accepted)), int(np.count_nonzero(duplicate))
        tally.accepted += accepted_rows
        tally.duplicates += duplicates
        tally.open_rows += int(np.count_nonzero(is_accepted & ~withdraws))
        if self._waited_for.keys and hashes is not None:
            passed = pl.Series(np.flatnonzero(is_accepted | contested))
            likely = self._waited_for.maybe(self.contract, persons, passed)
            number = block.part.landed_object_id
            for settled in self._waited_for.keys.intersection(hashes(likely).drop_nulls()):
                self._settled_keys[settled] = max(number, self._settled_keys.get(settled, number))
        touches = self._touched.frame(columns)
        if contested.any():
            chosen = pl.Series(contested)
            self._spool.write(frame.filter(chosen), touches.filter(chosen), statements.at(contested))
        if accepted_rows < rows:
            accepted = pl.Series(is_accepted)
            frame, touches = frame.filter(accepted), touches.filter(accepted)
        self._touched.add(touches)
        written = to_copy_csv(frame, is_plain=block.is_plain)
        return JudgedBlock(written, accepted_rows, refused, refused_rows, duplicates)

    def _refuse_faulty(self, block: TextBlock) -> bytes:
        """Refuse the rows of which something could not be had, for that and for what else is wrong with them."""
        tally, rules = self._tally, self._rules
        self._lines.take(block)
        shapeless = [row for row in block.faulty if row.values is None]
        written = self._refused_rows.write_shapeless(block.part, shapeless)
        tally.refused += len(block.faulty)
        tally.unexpected[rules.readable.rule] += sum(bool(row.faults) for row in block.faulty)
        tally.unexpected[rules.shape.rule] += sum(row.fields is not None for row in shapeless)
        shown, rows = faulty_block(self.contract, block)
        if not rows:
            return written
        columns = self._normaliser.columns(shown.frame)
        findings = rules.judge(columns, len(rows), unread=unread_values(rows))
        beyond = np.array([row.fields is not None for row in rows], dtype=np.bool_)
        findings.add(rules.shape_index, rules.shape, beyond, is_refusing=True)
        findings.refused[:] = True
        tally.unexpected.update(findings.unexpected)
        persons = persons_of(self.contract, self._key, columns)
        faults = [row.faults for row in rows]
        hashes = self._key_hashes(columns, persons)
        return written + self._refused_rows.write(shown, columns, persons, findings, faults, hashes)

    def _key_hashes(
        self, columns: Mapping[str, BlockColumn], persons: Persons | None
    ) -> Callable[[pl.Series], pl.Series] | None:
        """What hashes the keys of a block's rows; None where the contract has no key."""
        if not self.contract.key:
            return None
        return partial(key_hashes, self.contract, self._key, columns, persons)

    def _find_repeats(self, passed: Mask, statements: Statements) -> tuple[Mask, Mask]:
        """Compare the keys of the rows that *passed* with all earlier ones.

        Returns:
            The rows that are duplicates, and those that are contested.
        """
        chosen = np.flatnonzero(passed)
        repeats = self._register.register(statements.at(chosen))
        duplicate, contested = np.zeros(len(passed), dtype=np.bool_), np.zeros(len(passed), dtype=np.bool_)
        duplicate[chosen], contested[chosen] = repeats.duplicate, repeats.contested
        return duplicate, contested

    def _settle(self) -> Iterator[JudgedBlock]:
        """Decide among the rows of contested keys: what has been passed on may have to go, for another or for none."""
        contested, tally = self._spool.statements(), self._tally
        if not len(contested.keys):
            return
        settled = self._register.settle(contested)
        gone, refused = settled.firsts, int(np.count_nonzero(settled.first_refused))
        tally.accepted -= len(gone.keys)
        tally.refused += refused
        tally.duplicates += len(gone.keys) - refused
        tally.open_rows += int(np.count_nonzero(settled.wins & ~contested.withdraws))
        tally.open_rows -= int(np.count_nonzero(~gone.withdraws))
        # Any row of its key is enough for the warehouse to find the row that goes.
        unique, first_index = np.unique(contested.keys, return_index=True)
        removing = np.zeros(len(contested.keys), dtype=np.bool_)
        removing[first_index[np.searchsorted(unique, gone.keys)]] = True
        start = 0
        for frame, _ in self._spool.read():
            removed = frame.filter(pl.Series(removing[start : start + frame.height]))
            start += frame.height
            if removed.height:
                yield JudgedBlock(b"", 0, b"", 0, 0, to_copy_csv(removed), removed.height)
        yield from self._accept_winners(settled.wins, settled.refused)
        self._contradicting = np.concatenate(
            [gone.positions[settled.first_refused], contested.positions[settled.refused]]
        )
        yield from self._refuse(self._contradicting, settled.contradicted_by)

    def _accept_winners(self, wins: Mask, refused: Mask) -> Iterator[JudgedBlock]:
        tally, start = self._tally, 0
        for frame, touches in self._spool.read():
            end = start + frame.height
            own, own_refused = wins[start:end], int(np.count_nonzero(refused[start:end]))
            start = end
            accepted = frame.filter(pl.Series(own))
            self._touched.add(touches.filter(pl.Series(own)))
            duplicates = frame.height - accepted.height - own_refused
            tally.accepted += accepted.height
            tally.refused += own_refused
            tally.duplicates += duplicates
            yield JudgedBlock(to_copy_csv(accepted), accepted.height, b"", 0, duplicates)

    def _refuse(self, positions: Hashes, contradicted_by: Mapping[int, int]) -> Iterator[JudgedBlock]:
        """Read the rows at *positions* again, which contradict each other, and refuse them.

        Each names another one, by its number: who mends it is to find both.
        """
        wanted: dict[int, set[int]] = {}
        others: dict[tuple[int, int], Other] = {}
        for position in positions.tolist():
            part_index, row_number = part_and_row(position)
            wanted.setdefault(part_index, set()).add(row_number)
            other_part, other_row = part_and_row(contradicted_by[position])
            landed = None if other_part == part_index else self._parts[other_part].landed_object_id
            others[part_index, row_number] = Other(other_row, landed)
        for part_index, row_numbers in sorted(wanted.items()):
            for block in rows_at(self.contract, self._parts[part_index], row_numbers, self._block_bytes):
                columns = Normaliser(self.contract, self._last_day).columns(block.frame)
                findings = Findings(block.frame.height)
                every = np.ones(block.frame.height, dtype=np.bool_)
                findings.add(self._rules.key_index, self._rules.key, every, is_refusing=True)
                self._tally.unexpected.update(findings.unexpected)
                persons = persons_of(self.contract, self._key, columns)
                hashes = self._key_hashes(columns, persons)
                beside = [others[part_index, number] for number in block.row_numbers.to_list()]
                written = self._refused_rows.write(block, columns, persons, findings, key_hashes=hashes, others=beside)
                yield JudgedBlock(b"", 0, written, block.frame.height, 0)

    def judged_frames(self) -> tuple[JudgedFrame, ...]:
        """What Great Expectations judges: typed rows, keys where it sees every row, faulty lines, counters.

        Raises:
            FeedError: The blocks have not been drawn to their end.
        """
        if not self._is_done:
            raise FeedError("The batch has not been read to its end.", feed=self.contract.feed)
        found = [counters_judged(self.contract, self._tally, self._previous)]
        if len(self._lines):
            found.insert(0, self._lines.judged(self._rules.shape, self._rules.readable))
        sampled = self._sample.rows()
        if sampled is not None:
            rules = [rule for _, rule in self._rules.by_themselves]
            if self._sample.is_whole:
                key, passed = self._rules.key, sampled.passed(rules)
                contradicting = np.isin(passed.positions, self._contradicting)
                found.insert(0, JudgedFrame([key], passed.frame, {key.rule: contradicting}, self._tokens(passed)))
            found.insert(0, JudgedFrame(rules, sampled.frame, sampled.verdicts, self._tokens(sampled)))
        return tuple(found)

    def _tokens(self, rows: SampledRows) -> pl.Series:
        read_at = [part_and_row(position) for position in rows.positions.tolist()]
        objects = pl.Series([self._parts[part_index].landed_object_id for part_index, _ in read_at], dtype=pl.Int64)
        numbers = pl.Series([row_number for _, row_number in read_at], dtype=pl.Int64)
        return pl.select(pl.format("{}-{}", objects, numbers)).to_series()


def _sendings(contract: Contract, parts: Sequence[Part]) -> Sendings:
    """All original parts of a delivery are one sending; each window of changes and each correction is its own."""
    is_alone = [part.is_correction or contract.delivery_kind == "changes" for part in parts]
    arrivals = np.array([part.landed_object_id for part in parts], dtype=np.int64)
    return Sendings(np.where(is_alone, arrivals, ORIGINALS), arrivals)
