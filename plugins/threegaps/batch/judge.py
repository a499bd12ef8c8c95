"""The judgement of a batch: each row ends in exactly one place, with every reason.

Blocks come out while later ones are still being read, so the server can load meanwhile; what depends on the whole
batch (certification, batch rules, counts) follows in :meth:`Judgement.finish`, before anything is committed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.batch.areas import codes_in_force
from threegaps.batch.certify import Certifier, is_certifiable, typed_frame
from threegaps.batch.columns import BlockColumn
from threegaps.batch.decode import Part, TextBlock, decode
from threegaps.batch.identifiers import ResidentIds
from threegaps.batch.normalise import RESIDENT_CARD, Normaliser
from threegaps.batch.pseudonym import PseudonymKey, pseudonyms
from threegaps.batch.quarantine import ReasonWriter, masked_source, quarantine_csv, row_tokens, to_copy_csv
from threegaps.batch.spool import Spool
from threegaps.batch.touched import Touched
from threegaps.batch.translate import unexpected_rows
from threegaps.batch.uniqueness import KeyRegister, Repeats, combine_hashes
from threegaps.contracts.model import Contract, Rule
from threegaps.contracts.tables import (
    PERSON_COLUMN,
    QUARANTINE_COLUMNS,
    RawColumn,
    accepted_columns,
    raw_columns,
)
from threegaps.contracts.vocabulary import KEY_EXPECTATION, SHAPE_EXPECTATION
from threegaps.errors import FeedError

__all__ = [
    "QUARANTINE_COLUMNS",
    "CheckResult",
    "Counts",
    "JudgedBlock",
    "Judgement",
    "Part",
    "Previous",
    "RawColumn",
    "Verdict",
    "accepted_columns",
    "raw_columns",
]

Mask = npt.NDArray[np.bool_]

BLOCK_BYTES = 8 * 1024 * 1024
CERTIFIED_ROWS = 20_000
_SHANGHAI_OFFSET_MICROSECONDS = 8 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Previous:
    """What the period before looked like, for the batch rules; None where there was none."""

    received: int | None = None
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class JudgedBlock:
    """Rows ready for COPY (CSV, a missing value is an empty field without quotes)."""

    accepted: bytes
    accepted_rows: int
    refused: bytes
    refused_rows: int
    duplicate_rows: int


@dataclass(frozen=True, slots=True)
class Counts:
    """physical_lines = structural + received; received = accepted + refused + duplicates."""

    physical_lines: int
    structural: int
    received: int
    accepted: int
    refused: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule's outcome over the batch: ``passed``, ``refused_rows``, ``warned`` or ``stopped``."""

    rule: str
    expectation: str
    column: str | None
    action: str
    evaluated: int
    unexpected: int
    outcome: str
    is_certified: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a batch came to.

    ``touched`` holds (county, from, to) of accepted rows, ``date.max`` is an open end; ``received_of_originals`` are
    the rows received in parts that are no corrections: what a control file counts.
    """

    stopped_by: str | None
    message_en: str | None
    message_zh: str | None
    counts: Counts
    structural_reasons: dict[str, int]
    normalisations: dict[str, int]
    checks: tuple[CheckResult, ...]
    touched: frozenset[tuple[str, dt.date, dt.date]]
    received_of_originals: int


@dataclass(slots=True)
class _Tally:
    physical_lines: int = 0
    received: int = 0
    received_of_originals: int = 0
    accepted: int = 0
    refused: int = 0
    duplicates: int = 0
    structural: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    passed_rows: int = 0


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
        self.delivery = delivery
        self._key = key
        self._previous = previous or Previous()
        self._block_bytes = block_bytes
        self._parts = _in_order(contract, parts)
        self._normaliser = Normaliser(contract)
        self._tally = _Tally()
        self._register = KeyRegister()
        self._reasons = ReasonWriter(contract.rules)
        self._touched = Touched(contract)
        self._row_rules = [(place, rule) for place, rule in enumerate(contract.rules) if is_certifiable(rule)]
        self._sample = _Sample(CERTIFIED_ROWS, [place for place, _ in self._row_rules])
        self._key_place = _place(contract, KEY_EXPECTATION)
        self._shape_place = _place(contract, SHAPE_EXPECTATION)
        self._is_done = False

    def blocks(self) -> Iterator[JudgedBlock]:
        """The judged blocks, in order.

        Raises:
            FeedError: A file cannot be decoded as the contract declares.
        """
        if not self._parts:
            raise FeedError("The batch has no file.", feed=self.contract.feed, advice="land the delivery first.")
        if self.contract.delivery_kind == "changes" and self.contract.version_column:
            with Spool() as spool:
                for block in self.text_blocks():
                    yield self._judge(block, spool)
                yield from self._settle(spool)
        else:
            with self._register:
                for block in self.text_blocks():
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
        certified: set[str] = set()
        if tally.received:
            rows, verdicts = self._sample.rows([rule.rule for _, rule in self._row_rules])
            if rows is not None:
                certified |= certifier.certify_rows(rows, verdicts)
                if self._sample.is_whole:
                    passed = self._sample.passed_rows(rows, verdicts, contract.rules)
                    repeats = tally.unexpected[contract.rules[self._key_place].rule] + tally.duplicates
                    certifier.certify_key(passed, repeats)
                    certified.add(contract.rules[self._key_place].rule)
        checks = [self._check(rule, rule.rule in certified) for rule in contract.rules]
        checks.extend(self._batch_checks(certifier))
        stopping = next((check for check in checks if check.outcome == "stopped"), None)
        rule = next((r for r in (*contract.rules, *contract.batch_rules) if stopping and r.rule == stopping.rule), None)
        return Verdict(
            stopped_by=rule.rule if rule else None,
            message_en=rule.message_en if rule else None,
            message_zh=rule.message_zh if rule else None,
            counts=self._counts(),
            structural_reasons=dict(tally.structural),
            normalisations=dict(self._normaliser.counts),
            checks=tuple(checks),
            touched=self._touched.intervals(),
            received_of_originals=tally.received_of_originals,
        )

    def text_blocks(self) -> Iterator[TextBlock]:
        """The rows as they were sent, unjudged and without totals and notes, by the numbers that tokens carry.

        For reading landed rows again, on a judgement of its own: blocks are not drawn twice.
        """
        for part in self._parts:
            structural_before = 0
            for block in decode(self.contract, part, self._block_bytes):
                structural_before = self._strip_structural(block, structural_before)
                yield block

    def _strip_structural(self, block: TextBlock, before: int) -> int:
        """Take totals and notes out of *block*; data rows are counted without them."""
        found, reasons = self._normaliser.structural(block.frame)
        places = np.zeros(0, dtype=np.int64)
        if found is not None:
            places = block.row_numbers.filter(found).to_numpy().astype(np.int64)
            block.frame = block.frame.filter(~found)
            block.row_numbers = block.row_numbers.filter(~found)
            block.structural.update(reasons)
        if before or len(places):
            numbers = block.row_numbers.to_numpy()
            fewer = before + np.searchsorted(places, numbers)
            block.row_numbers = pl.Series("row_number", numbers - fewer, dtype=pl.Int32)
            block.misshapen = [
                (number - before - int(np.searchsorted(places, number)), fields) for number, fields in block.misshapen
            ]
        return before + len(places)

    def _judge(self, block: TextBlock, spool: Spool | None) -> JudgedBlock:
        tally, rows = self._tally, block.frame.height
        tally.physical_lines += block.physical_lines
        tally.structural.update(block.structural)
        tally.received += rows + len(block.misshapen)
        if not block.part.is_correction:
            tally.received_of_originals += rows + len(block.misshapen)
        misshapen = self._refuse_misshapen(block)
        if not rows:
            return JudgedBlock(b"", 0, misshapen, len(block.misshapen), 0)
        columns = self._normaliser.columns(block.frame)
        broken = {}
        refused = np.zeros(rows, dtype=np.bool_)
        for place, rule in self._row_rules:
            unexpected = unexpected_rows(rule, columns)
            count = int(np.count_nonzero(unexpected))
            if count:
                tally.unexpected[rule.rule] += count
                broken[place] = unexpected
                if rule.action == "refuse":
                    refused |= unexpected
        self._sample.take(block, columns, broken)
        person, residents = self._persons(columns)
        passed = np.flatnonzero(~refused)
        tally.passed_rows += len(passed)
        versions = self._versions(columns)
        keys, contents = self._hashes(columns, person)
        if spool is None:
            repeats = self._register.register(keys[passed], contents[passed], versions[passed])
            duplicate, conflicting = np.zeros(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
            duplicate[passed], conflicting[passed] = repeats.duplicate, repeats.conflicting
            if conflicting.any():
                tally.unexpected[self.contract.rules[self._key_place].rule] += int(conflicting.sum())
                broken[self._key_place] = conflicting
                refused |= conflicting
        else:
            duplicate = np.zeros(rows, dtype=np.bool_)
        refused_rows = self._refuse(block, columns, person, refused, broken)
        accepted = ~(refused | duplicate)
        frame = self._accepted_frame(block, columns, person, residents, versions)
        counted_refused = int(np.count_nonzero(refused)) + len(block.misshapen)
        tally.refused += counted_refused
        if spool is not None:
            tokens = row_tokens(block.part.landed_object_id, block.row_numbers)
            kept = pl.Series(accepted)
            spool.write(
                frame.filter(kept),
                masked_source(block.frame, person, tokens).filter(kept),
                keys[accepted],
                contents[accepted],
                versions[accepted],
                self._touched.frame(columns).filter(kept),
            )
            return JudgedBlock(b"", 0, misshapen + refused_rows, counted_refused, 0)
        count = int(np.count_nonzero(accepted))
        duplicates = int(np.count_nonzero(duplicate))
        tally.accepted += count
        tally.duplicates += duplicates
        touches = self._touched.frame(columns)
        if count < rows:
            frame, touches = frame.filter(pl.Series(accepted)), touches.filter(pl.Series(accepted))
        self._touched.add(touches)
        written = to_copy_csv(frame, is_plain=block.is_plain)
        return JudgedBlock(written, count, misshapen + refused_rows, counted_refused, duplicates)

    def _settle(self, spool: Spool) -> Iterator[JudgedBlock]:
        """Pass on, for a feed of changes, the highest version of each key."""
        tally, rule = self._tally, self.contract.rules[self._key_place]
        settled: Repeats = spool.repeats()
        start = 0
        for frame, source, touches in spool.read():
            end = start + frame.height
            duplicate, conflicting = settled.duplicate[start:end], settled.conflicting[start:end]
            start = end
            kept = pl.Series(~(duplicate | conflicting))
            refused = b""
            refused_rows = int(np.count_nonzero(conflicting))
            if refused_rows:
                tally.unexpected[rule.rule] += refused_rows
                chosen = pl.Series(conflicting)
                rows = frame.filter(chosen)
                refused = self._refuse_settled(rows, source.filter(chosen))
            accepted = frame.filter(kept)
            self._touched.add(touches.filter(kept))
            duplicates = int(np.count_nonzero(duplicate))
            tally.accepted += accepted.height
            tally.refused += refused_rows
            tally.duplicates += duplicates
            yield JudgedBlock(to_copy_csv(accepted), accepted.height, refused, refused_rows, duplicates)

    def _refuse_settled(self, rows: pl.DataFrame, source: pl.DataFrame) -> bytes:
        broken = np.zeros((rows.height, len(self.contract.rules)), dtype=np.bool_)
        broken[:, self._key_place] = True
        county = self.contract.touch.county_columns[0]
        written = b""
        for part in self._parts:
            chosen = rows["_landed_object_id"] == part.landed_object_id
            own = rows.filter(chosen)
            if not own.height:
                continue
            numbers = own["_row_number"]
            written += quarantine_csv(
                batch_id=self.batch_id,
                feed=self.contract.feed,
                delivery=self.delivery,
                landed_object_id=part.landed_object_id,
                row_numbers=numbers,
                tokens=row_tokens(part.landed_object_id, numbers),
                counties=own[county],
                row_data=source.filter(chosen).to_struct("row").struct.json_encode(),
                reasons=self._reasons.write(broken[: own.height]),
            )
        return written

    def _persons(self, columns: dict[str, BlockColumn]) -> tuple[pl.Series | None, ResidentIds | None]:
        """Pseudonym of each row (null without a valid document), and what identity numbers say."""
        if not self.contract.has_person:
            return None, None
        texts, types = columns[PERSON_COLUMN].text, columns["id_type"].text
        residents = columns[PERSON_COLUMN].resident_ids()
        is_card = (types == RESIDENT_CARD).fill_null(value=False).to_numpy()
        is_other = (types.is_not_null() & (types != RESIDENT_CARD) & texts.is_not_null()).fill_null(value=False)
        is_document = (is_card & residents.is_valid) | is_other.to_numpy()
        if is_document.all():
            hashed = pseudonyms(self._key, texts)
        else:
            chosen = pl.Series(is_document)
            hashed = pl.repeat(None, len(texts), dtype=pl.String, eager=True).scatter(
                chosen.arg_true(), pseudonyms(self._key, texts.filter(chosen))
            )
        if is_other.any():
            card = residents.is_valid & is_card
            residents = ResidentIds(card, np.where(card, residents.birth_year, 0), residents.is_male & card)
        return hashed.alias("person_id"), residents

    def _versions(self, columns: dict[str, BlockColumn]) -> npt.NDArray[np.int64]:
        name = self.contract.version_column
        if name is None:
            return np.zeros(len(next(iter(columns.values())).text), dtype=np.int64)
        typed = columns[name].typed
        if typed.dtype == pl.Datetime:
            return (typed.dt.epoch("us") - _SHANGHAI_OFFSET_MICROSECONDS).fill_null(0).to_numpy()
        return typed.cast(pl.Int64).fill_null(0).to_numpy()

    def _hashes(
        self, columns: dict[str, BlockColumn], person: pl.Series | None
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        key = set(self.contract.key)
        key_columns: list[BlockColumn] = []
        other_columns: list[BlockColumn] = []
        for name, column in columns.items():
            replaced = BlockColumn(name, person, person) if name == PERSON_COLUMN and person is not None else column
            (key_columns if name in key else other_columns).append(replaced)
        keys = combine_hashes(key_columns)
        contents: npt.NDArray[np.uint64] = np.add(keys, combine_hashes(other_columns))
        return keys, contents

    def _accepted_frame(
        self,
        block: TextBlock,
        columns: dict[str, BlockColumn],
        person: pl.Series | None,
        residents: ResidentIds | None,
        versions: npt.NDArray[np.int64],
    ) -> pl.DataFrame:
        rows = block.frame.height
        series: list[pl.Series] = []
        for column in self.contract.stored_columns:
            if column.name == PERSON_COLUMN and person is not None:
                series.append(person.alias("person_id"))
            else:
                series.append(_as_written(columns[column.name], column.logical_type).alias(column.name))
        if residents is not None:
            year = pl.Series("birth_year", residents.birth_year)
            known = pl.Series(residents.is_valid)
            frame = pl.DataFrame({"year": year, "known": known, "male": pl.Series(residents.is_male)})
            derived = frame.select(
                pl.when("known").then("year").alias("birth_year"),
                pl.when("known").then(pl.when("male").then(pl.lit("M")).otherwise(pl.lit("F"))).alias("sex"),
            )
            series.extend([derived["birth_year"], derived["sex"]])
        withdrawal = self.contract.withdrawal
        if withdrawal is None:
            withdrawn = pl.repeat(value=False, n=rows, dtype=pl.Boolean, eager=True)
        else:
            withdrawn = (columns[withdrawal.column].text == withdrawal.value).fill_null(value=False)
        series.extend(
            [
                pl.repeat(self.batch_id, rows, eager=True).alias("_batch_id"),
                pl.repeat(block.part.landed_object_id, rows, eager=True).alias("_landed_object_id"),
                block.row_numbers.alias("_row_number"),
                pl.Series("_version", versions),
                withdrawn.alias("_withdrawn"),
            ]
        )
        return pl.DataFrame(series)

    def _refuse(
        self,
        block: TextBlock,
        columns: dict[str, BlockColumn],
        person: pl.Series | None,
        refused: Mask,
        broken: dict[int, Mask],
    ) -> bytes:
        places = np.flatnonzero(refused)
        if not len(places):
            return b""
        chosen = pl.Series(places)
        numbers = block.row_numbers.gather(chosen)
        tokens = row_tokens(block.part.landed_object_id, numbers)
        matrix = np.zeros((len(places), len(self.contract.rules)), dtype=np.bool_)
        for place, mask in broken.items():
            if self.contract.rules[place].action == "refuse":
                matrix[:, place] = mask[places]
        source = masked_source(block.frame[places], None if person is None else person.gather(chosen), tokens)
        return quarantine_csv(
            batch_id=self.batch_id,
            feed=self.contract.feed,
            delivery=self.delivery,
            landed_object_id=block.part.landed_object_id,
            row_numbers=numbers,
            tokens=tokens,
            counties=self._counties(columns, chosen),
            row_data=source.to_struct("row").struct.json_encode(),
            reasons=self._reasons.write(matrix),
        )

    def _counties(self, columns: dict[str, BlockColumn], places: pl.Series) -> pl.Series:
        """The first county of each chosen row that is one; null where there is none."""
        known = list(codes_in_force(("county", "city", "province")))
        found = pl.repeat(None, len(places), dtype=pl.String, eager=True)
        for name in self.contract.touch.county_columns:
            codes = columns[name].text.gather(places)
            valid = pl.DataFrame({"code": codes}).select(pl.when(pl.col("code").is_in(known)).then("code")).to_series()
            found = pl.select(pl.coalesce(found, valid)).to_series()
        return found

    def _refuse_misshapen(self, block: TextBlock) -> bytes:
        """Rows with too many or too few fields: which field is which is unknown, so none of them is shown."""
        if not block.misshapen:
            return b""
        rule = self.contract.rules[self._shape_place]
        self._tally.unexpected[rule.rule] += len(block.misshapen)
        numbers = pl.Series("row_number", [number for number, _ in block.misshapen], dtype=pl.Int32)
        broken = np.zeros((len(numbers), len(self.contract.rules)), dtype=np.bool_)
        broken[:, self._shape_place] = True
        return quarantine_csv(
            batch_id=self.batch_id,
            feed=self.contract.feed,
            delivery=self.delivery,
            landed_object_id=block.part.landed_object_id,
            row_numbers=numbers,
            tokens=row_tokens(block.part.landed_object_id, numbers),
            counties=pl.repeat(None, len(numbers), dtype=pl.String, eager=True),
            row_data=pl.Series("row_data", [f'{{"fields":{fields}}}' for _, fields in block.misshapen]),
            reasons=self._reasons.write(broken),
        )

    def _check(self, rule: Rule, is_certified: bool) -> CheckResult:
        tally = self._tally
        unexpected = tally.unexpected[rule.rule]
        evaluated = tally.received
        if rule.expectation == KEY_EXPECTATION:
            evaluated = tally.passed_rows
        outcomes = {"refuse": "refused_rows", "warn": "warned", "stop": "stopped"}
        outcome = outcomes[rule.action] if unexpected else "passed"
        return CheckResult(
            rule.rule, rule.expectation, rule.column, rule.action, evaluated, unexpected, outcome, is_certified
        )

    def _batch_checks(self, certifier: Certifier) -> list[CheckResult]:
        rules = self.contract.batch_rules
        counters = self._counters()
        bounds = [
            (
                _COUNTERS[rule.expectation],
                rule.kwargs.get("min_ratio"),
                rule.kwargs.get("max_ratio", rule.kwargs.get("max_share", 0)),
            )
            for rule in rules
        ]
        enough = {
            _COUNTERS[rule.expectation]: self._tally.received >= int(rule.kwargs.get("min_rows", 0))
            or (self._previous.received or 0) >= int(rule.kwargs.get("min_rows", 0))
            for rule in rules
        }
        judged = {name: value if enough.get(name) else None for name, value in counters.items()}
        outcomes = certifier.certify_counters(judged, bounds)
        results = []
        for rule, is_fine in zip(rules, outcomes, strict=True):
            outcome = "passed" if is_fine else "stopped" if rule.action == "stop" else "warned"
            results.append(
                CheckResult(
                    rule.rule, rule.expectation, None, rule.action, 1, int(not is_fine), outcome, is_certified=True
                )
            )
        return results

    def _counters(self) -> dict[str, float | None]:
        tally, before = self._tally, self._previous
        declared = tuple(column.name for column in self.contract.columns)
        changed = 0 if before.columns is None else len(set(before.columns) ^ set(declared))
        return {
            "row_ratio": tally.received / before.received if before.received else None,
            "refused_share": tally.refused / tally.received if tally.received else None,
            "duplicate_share": tally.duplicates / tally.received if tally.received else None,
            "changed_columns": float(changed),
        }

    def _counts(self) -> Counts:
        tally = self._tally
        return Counts(
            physical_lines=tally.physical_lines,
            structural=tally.structural.total(),
            received=tally.received,
            accepted=tally.accepted,
            refused=tally.refused,
            duplicates=tally.duplicates,
        )


_COUNTERS = {
    "expect_row_count_to_be_near_previous": "row_ratio",
    "expect_refused_share_to_be_below": "refused_share",
    "expect_duplicate_share_to_be_below": "duplicate_share",
    "expect_columns_to_be_as_declared": "changed_columns",
}


def _place(contract: Contract, expectation: str) -> int:
    return next(place for place, rule in enumerate(contract.rules) if rule.expectation == expectation)


def _in_order(contract: Contract, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Corrections first, the latest foremost, where rows have versions: what they replace then comes as older."""
    if contract.version_column is None or contract.delivery_kind == "changes":
        return tuple(parts)
    corrections = sorted(
        (part for part in parts if part.is_correction), key=lambda part: part.source_name, reverse=True
    )
    return (*corrections, *(part for part in parts if not part.is_correction))


def _as_written(column: BlockColumn, logical_type: str) -> pl.Series:
    """The column as COPY reads it: a text or a number as it was written, anything else in the standard form."""
    if logical_type in {"string", "number"}:
        return column.text
    if logical_type == "timestamp":
        return column.typed.dt.to_string("%Y-%m-%d %H:%M:%S%.6f+08:00")
    return column.typed


class _Sample:
    """Typed rows for certification: all of a small batch, those with the smallest hashed number of a large one."""

    def __init__(self, size: int, places: Sequence[int]) -> None:
        self._size = size
        self._places = places
        self._held: list[pl.DataFrame] = []
        self._held_rows = 0
        self._limit = np.uint64(np.iinfo(np.uint64).max)
        self.is_whole = True

    def take(self, block: TextBlock, columns: dict[str, BlockColumn], broken: dict[int, Mask]) -> None:
        ranks = _ranks(block.part.landed_object_id, block.row_numbers.to_numpy())
        chosen = np.flatnonzero(ranks <= self._limit)
        if len(chosen) > self._size:
            chosen = chosen[np.argpartition(ranks[chosen], self._size)[: self._size]]
            chosen.sort()
            self.is_whole = False
        places = pl.Series(chosen)
        narrowed = {}
        for name, column in columns.items():
            text = _own(column.text.gather(places))
            typed = text if column.typed is column.text else _own(column.typed.gather(places))
            narrowed[name] = BlockColumn(name, text, typed)
        verdicts = [pl.Series(f"#{place}", mask[chosen]) for place, mask in broken.items()]
        frame = typed_frame(narrowed).with_columns(*verdicts, pl.Series("#rank", ranks[chosen]))
        self._held.append(frame)
        self._held_rows += frame.height
        if self._held_rows > 2 * self._size:
            self._shrink()

    def _shrink(self) -> None:
        frame = pl.concat(self._held, how="diagonal")
        if frame.height > self._size:
            frame = frame.bottom_k(self._size, by="#rank")
            self._limit = frame["#rank"].to_numpy().max()
            self.is_whole = False
        self._held, self._held_rows = [frame], frame.height

    def rows(self, rules: Sequence[str]) -> tuple[pl.DataFrame | None, dict[str, Mask]]:
        """The rows, and for each rule which of them the column rules found unexpected."""
        if not self._held:
            return None, {}
        self._shrink()
        frame = self._held[0]
        none = np.zeros(frame.height, dtype=np.bool_)
        verdicts = {}
        for rule, place in zip(rules, self._places, strict=True):
            name = f"#{place}"
            verdicts[rule] = frame[name].fill_null(value=False).to_numpy() if name in frame.columns else none
        return frame.select(pl.exclude(r"^#.*$")), verdicts

    def passed_rows(self, rows: pl.DataFrame, verdicts: dict[str, Mask], rules: Sequence[Rule]) -> pl.DataFrame:
        """Those rows that no refusing rule speaks against."""
        refused = np.zeros(rows.height, dtype=np.bool_)
        for rule in rules:
            if rule.action == "refuse" and rule.rule in verdicts:
                refused |= verdicts[rule.rule]
        return rows.filter(pl.Series(~refused))


def _own(values: pl.Series) -> pl.Series:
    """The values by themselves: gathered texts keep all the text of their block in memory."""
    return pl.Series(values.name, values.to_list(), dtype=pl.String) if values.dtype == pl.String else values


def _ranks(landed_object_id: int, row_numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """A number for each row that looks random and is always the same (the finaliser of SplitMix64)."""
    mixed = row_numbers.astype(np.uint64) + np.uint64((landed_object_id * 0x9E3779B97F4A7C15) & (2**64 - 1))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
