"""The judgement of a batch: each row ends in exactly one place, with every reason.

Blocks come out while later ones are still being read, so the server can load meanwhile; what depends on the whole
batch (certification, batch rules, counts) follows in :meth:`Judgement.finish`, before anything is committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from threegaps.batch.accepted import accepted_frame, row_versions
from threegaps.batch.batch_rules import batch_checks
from threegaps.batch.certify import Certifier
from threegaps.batch.columns import Mask
from threegaps.batch.decode import Part, TextBlock
from threegaps.batch.normalise import Normaliser
from threegaps.batch.persons import persons_of
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.batch.quarantine import masked_source, row_tokens, to_copy_csv
from threegaps.batch.reading import BLOCK_BYTES, data_blocks, in_order
from threegaps.batch.refused import RefusedRows
from threegaps.batch.row_rules import Findings, RowRules
from threegaps.batch.sample import Sample
from threegaps.batch.spool import Spool, Versions
from threegaps.batch.tally import Tally
from threegaps.batch.touched import Touched
from threegaps.batch.uniqueness import Hashes, KeyRegister, row_hashes
from threegaps.batch.verdict import JudgedBlock, Previous, Verdict
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError

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
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.contract = contract
        self.batch_id = batch_id
        self._key = key
        self._previous = previous or Previous()
        self._block_bytes = block_bytes
        self._delivery = delivery
        self._parts = in_order(contract, parts)
        self._normaliser = Normaliser(contract)
        self._rules = RowRules(contract)
        self._tally = Tally()
        self._register = KeyRegister()
        self._refused_rows = RefusedRows(contract, self._rules, batch_id=batch_id, delivery=delivery)
        self._touched = Touched(contract)
        self._sample = Sample(CERTIFIED_ROWS, self._rules.by_themselves)
        self._is_done = False

    def blocks(self) -> Iterator[JudgedBlock]:
        """The judged blocks, in order.

        Raises:
            FeedError: A file cannot be decoded as the contract declares.
        """
        if not self._parts:
            raise FeedError("The batch has no file.", feed=self.contract.feed, advice="land the delivery first.")
        read = data_blocks(self.contract, self._parts, self._normaliser, self._block_bytes)
        if self.contract.delivery_kind == "changes" and self.contract.version_column:
            with Spool() as spool:
                for block in read:
                    yield self._judge(block, spool)
                yield from self._settle(spool)
        else:
            with self._register:
                for block in read:
                    yield self._judge(block, None)
        self._is_done = True

    def finish(self) -> Verdict:
        """Certify with Great Expectations, judge the whole batch, and give the verdict.

        Raises:
            CertificationError: Great Expectations and the column rules disagree, or it failed.
            FeedError: The blocks have not been drawn to their end.
        """
        if not self._is_done:
            raise FeedError("The batch has not been read to its end.", feed=self.contract.feed)
        tally, contract = self._tally, self.contract
        certifier = Certifier(contract)
        certified = self._certify_sample(certifier)
        checks = [tally.check(rule, is_certified=rule.rule in certified) for rule in contract.rules]
        checks.extend(batch_checks(contract, tally, self._previous, certifier))
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
            received_of_originals=tally.received_of_originals,
        )

    def _judge(self, block: TextBlock, spool: Spool | None) -> JudgedBlock:
        """Judge a block; where there is a *spool*, rows that pass wait there for later versions of their keys."""
        tally, rows = self._tally, block.frame.height
        tally.receive(block)
        tally.unexpected[self._rules.shape.rule] += len(block.misshapen)
        misshapen = self._refused_rows.write_misshapen(block)
        tally.refused += len(block.misshapen)
        if not rows:
            return JudgedBlock(b"", 0, misshapen, len(block.misshapen), 0)
        columns = self._normaliser.columns(block.frame)
        findings = self._rules.judge(columns, rows)
        self._sample.take(block, columns, findings.broken)
        persons = persons_of(self.contract, self._key, columns)
        pseudonyms = None if persons is None else persons.pseudonyms
        versions = row_versions(self.contract, self._delivery, columns)
        keys, contents = row_hashes(self.contract, columns, pseudonyms)
        tally.passed_rows += rows - int(np.count_nonzero(findings.refused))
        duplicate = np.zeros(rows, dtype=np.bool_)
        if spool is None:
            duplicate = self._find_repeats(findings, keys, contents, versions)
        tally.unexpected.update(findings.unexpected)
        refused = misshapen + self._refused_rows.write(block, columns, persons, findings)
        refused_rows = int(np.count_nonzero(findings.refused))
        tally.refused += refused_rows
        refused_rows += len(block.misshapen)
        is_accepted = ~(findings.refused | duplicate)
        accepted = pl.Series(is_accepted)
        frame = accepted_frame(self.contract, self.batch_id, block, columns, persons, versions)
        if spool is not None:
            tokens = row_tokens(block.part.landed_object_id, block.row_numbers)
            spool.write(
                frame.filter(accepted),
                masked_source(block.frame, pseudonyms, tokens).filter(accepted),
                keys[is_accepted],
                contents[is_accepted],
                versions[is_accepted],
                self._touched.frame(columns).filter(accepted),
            )
            return JudgedBlock(b"", 0, refused, refused_rows, 0)
        accepted_rows, duplicates = int(np.count_nonzero(is_accepted)), int(np.count_nonzero(duplicate))
        tally.accepted += accepted_rows
        tally.duplicates += duplicates
        touches = self._touched.frame(columns)
        if accepted_rows < rows:
            frame, touches = frame.filter(accepted), touches.filter(accepted)
        self._touched.add(touches)
        written = to_copy_csv(frame, is_plain=block.is_plain)
        return JudgedBlock(written, accepted_rows, refused, refused_rows, duplicates)

    def _find_repeats(self, findings: Findings, keys: Hashes, contents: Hashes, versions: Versions) -> Mask:
        """Compare the keys of the rows that pass with all earlier ones, and note conflicts in *findings*.

        Returns:
            The rows that are duplicates.
        """
        passed = np.flatnonzero(~findings.refused)
        repeats = self._register.register(keys[passed], contents[passed], versions[passed])
        duplicate, conflicting = np.zeros(len(keys), dtype=np.bool_), np.zeros(len(keys), dtype=np.bool_)
        duplicate[passed], conflicting[passed] = repeats.duplicate, repeats.conflicting
        findings.add(self._rules.key_place, self._rules.key, conflicting, is_refusing=True)
        return duplicate

    def _settle(self, spool: Spool) -> Iterator[JudgedBlock]:
        """Pass on, for a feed of changes, the highest version of each key."""
        tally = self._tally
        settled = spool.repeats()
        start = 0
        for frame, source, touches in spool.read():
            end = start + frame.height
            duplicate, conflicting = settled.duplicate[start:end], settled.conflicting[start:end]
            start = end
            kept = pl.Series(~(duplicate | conflicting))
            refused = b""
            refused_rows, duplicates = int(np.count_nonzero(conflicting)), int(np.count_nonzero(duplicate))
            if refused_rows:
                chosen = pl.Series(conflicting)
                refused = self._refused_rows.write_conflicting(frame.filter(chosen), source.filter(chosen), self._parts)
            accepted = frame.filter(kept)
            self._touched.add(touches.filter(kept))
            tally.unexpected[self._rules.key.rule] += refused_rows
            tally.accepted += accepted.height
            tally.refused += refused_rows
            tally.duplicates += duplicates
            yield JudgedBlock(to_copy_csv(accepted), accepted.height, refused, refused_rows, duplicates)

    def _certify_sample(self, certifier: Certifier) -> frozenset[str]:
        """The rules that Great Expectations has certified; that keys are unique only where it saw every row."""
        rows, verdicts = self._sample.rows()
        if rows is None:
            return frozenset()
        certified = certifier.certify_rows(rows, verdicts)
        if not self._sample.is_whole:
            return certified
        key_rule = self._rules.key.rule
        repeats = self._tally.unexpected[key_rule] + self._tally.duplicates
        certifier.certify_key(self._sample.passed_rows(rows, verdicts), repeats)
        return certified | {key_rule}
