"""Judging files as the pipeline would, in one pass, without anything but the contract."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from threegaps.batch.decode import Part
from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.judge import Judgement
from threegaps.batch.own_period import WRONG_PERIOD, other_period, part_of_other_period, speaks_of
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.batch.reading import lines_at
from threegaps.batch.verdict import Verdict
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract, Rule
from threegaps.contracts.tables import PERSON_COLUMN, QUARANTINE_COLUMNS, accepted_columns
from threegaps.errors import FeedError, ThreeGapsError, UnexpectedError
from threegaps.file_check.codes import NO_ROW_CODE, OF_FAULTS, OF_FILES, OF_RULES, PERIOD_CODE
from threegaps.file_check.findings import FileFindings, Finding, Place
from threegaps.file_check.names import lacking, misnamed, roles_of
from threegaps.returned import Reason, ReturnedRow
from threegaps.sources.names import FileRole
from threegaps.translations import in_both

WHERE = ("来源文件", "第几张工作表", "第几行(含表头)")
"""Which row it is, in the workbook of a check: as whoever opens the file sees it numbered."""
MOST_PLACES = 1_000
"""Places that are kept of a finding: where all rows of a large file are wrong, their number says enough."""
MOST_ROWS = 20_000
"""Rows that are kept for the workbook."""
_LARGEST_FIELD = 2**31 - 1


def check_files(contract: Contract, paths: Sequence[Path], delivery: Delivery) -> FileFindings:
    """Everything that the pipeline would find in files of one delivery.

    A file that cannot be read as the contract declares is one finding, and the others are judged all the same. What
    needs to know earlier deliveries (how many rows there were, which rows are corrected) cannot be found.

    Args:
        contract: The feed's contract.
        paths: The files, parts and corrections alike, told apart by their names.
        delivery: The delivery that they are judged as: which columns there are, and which days there can be.

    Raises:
        FeedError: Two of the files have the same name.
    """
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise FeedError(
            "Two of the files have the same name.", feed=contract.feed, advice="name each file of a delivery once."
        )
    roles = roles_of(contract, delivery, paths)
    findings = misnamed(delivery, roles)
    try:
        findings += lacking(contract, delivery, roles)
    except (ThreeGapsError, OSError) as error:
        findings.append(_of_file(error))
    left = [path for path, role in roles.items() if role != "control"]
    while left:
        parts = [_part(delivery, number, path, roles[path]) for number, path in enumerate(left, 1)]
        try:
            refused, periods, verdict = _judge(contract, parts, delivery)
        except (ThreeGapsError, OSError) as error:
            findings.append(_of_file(error))
            name = findings[-1].file
            # One that is of none of them is of all of them.
            others = [path for path in left if path.name != name]
            left = others if len(others) < len(left) else []
            continue
        place_of = _places(contract, parts, refused)
        found = _of_rows(contract, refused, place_of) + _of_all(contract, verdict)
        found += _of_periods(contract, delivery, parts, periods, verdict) + _of_no_row(verdict)
        findings += sorted(found, key=lambda one: (one.code, one.rule or "", one.column or "", one.message_en))
        return FileFindings(
            feed=contract.feed,
            contract_version=contract.version,
            delivery=delivery.key,
            files=names,
            counts=verdict.counts,
            findings=findings,
            rows=[_placed(at, row, place_of) for at, row in sorted(refused.rows, key=lambda one: one[0])],
            refused_rows=refused.count,
        )
    return FileFindings(contract.feed, contract.version, delivery.key, names, None, findings)


def _part(delivery: Delivery, number: int, path: Path, role: FileRole | None) -> Part:
    return Part(
        number, path.name, partial(_opened, path), is_correction=role == "correction", delivery_end=delivery.end
    )


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tells one finding from another."""

    code: str
    rule: str
    column: str | None
    message_zh: str
    message_en: str


@dataclass
class _Refused:
    """The refused rows: how many each thing is wrong with, and of the first of them where and what they are."""

    contract: Contract
    count: int = 0
    counts: dict[_Kind, int] = field(default_factory=dict)
    places: dict[_Kind, list[tuple[int, int]]] = field(default_factory=dict)
    rows: list[tuple[tuple[int, int], ReturnedRow]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rules: Mapping[str, Rule] = {rule.rule: rule for rule in self.contract.rules}

    def add(self, written: bytes) -> None:
        """Take the rows of a block as they would go to quarantine."""
        for place, values, reasons in _rows_of(written):
            self.count += 1
            for kind in {self._kind(reason): None for reason in reasons}:
                self.counts[kind] = self.counts.get(kind, 0) + 1
                kept = self.places.setdefault(kind, [])
                if len(kept) < MOST_PLACES:
                    kept.append(place)
            if len(self.rows) < MOST_ROWS:
                # What stands for a document number means nothing here.
                shown = {name: None if name == PERSON_COLUMN else value for name, value in values.items()}
                self.rows.append((place, ReturnedRow((), shown, reasons)))

    def kept_places(self) -> dict[int, set[int]]:
        """The numbers of the rows that are kept, by part."""
        found: dict[int, set[int]] = {}
        others = (other for at, row in self.rows for reason in row.reasons if (other := other_of(at, reason)))
        places = (place for kept in self.places.values() for place in kept)
        for part, number in (*places, *(at for at, _ in self.rows), *others):
            found.setdefault(part, set()).add(number)
        return found

    def _kind(self, reason: Mapping[str, Any]) -> _Kind:
        if fault := reason.get("fault"):
            # Where it stands in its sheet is said of each place, not of the kind.
            kind = FaultKind[fault]
            return _Kind(OF_FAULTS[kind], reason["rule"], reason["column"], kind.message_zh, kind.message_en)
        code = OF_RULES[self._rules[reason["rule"]].expectation]
        return _Kind(code, reason["rule"], reason["column"], reason["message_zh"], reason["message_en"])


@dataclass
class _Periods:
    """Which parts have accepted rows, and which have one that speaks of the delivery's own period."""

    contract: Contract
    delivery: Delivery
    filled: set[int] = field(default_factory=set)
    own: set[int] = field(default_factory=set)

    def add(self, written: bytes) -> None:
        """Take the rows of a block as they would be copied."""
        column = self.contract.partition_column
        if not written or column is None or self.contract.delivery_kind != "full_period":
            return
        names = accepted_columns(self.contract)
        rows = pl.read_csv(written, has_header=False, new_columns=list(names), infer_schema=False)
        places = rows.get_column("_landed_object_id").cast(pl.Int64)
        days = rows.get_column(column).str.to_date(strict=False)
        self.filled.update(places.unique().to_list())
        self.own.update(places.filter(days.is_between(self.delivery.start, self.delivery.end)).unique().to_list())


def _judge(contract: Contract, parts: Sequence[Part], delivery: Delivery) -> tuple[_Refused, _Periods, Verdict]:
    # Nothing that the key makes leaves this module: rows that go back have their pseudonyms taken out.
    key = PseudonymKey(secrets.token_bytes(32), "check")
    judgement = Judgement(contract, parts, batch_id=0, delivery=delivery.key, key=key)
    refused, periods = _Refused(contract), _Periods(contract, delivery)
    for block in judgement.blocks():
        refused.add(block.refused)
        periods.add(block.accepted)
    return refused, periods, judgement.finish(certify=False)


def _rows_of(written: bytes) -> Iterator[tuple[tuple[int, int], dict[str, str | None], list[dict[str, Any]]]]:
    """Part and number, what was sent, and reasons of each row that a block would send to quarantine."""
    if not written:
        return
    csv.field_size_limit(_LARGEST_FIELD)
    at = {name: index for index, name in enumerate(QUARANTINE_COLUMNS)}
    for row in csv.reader(io.StringIO(written.decode("utf-8"), newline="")):
        place = (int(row[at["landed_object_id"]]) - 1, int(row[at["row_number"]]))
        yield place, json.loads(row[at["row_data"]]), json.loads(row[at["reasons"]])


def _of_file(error: ThreeGapsError | OSError) -> Finding:
    if isinstance(error, OSError):
        name = Path(str(error.filename)).name if error.filename else None
        said = f"The file cannot be opened: {error.strerror}."
        error = FeedError(said, file=name, advice="look whether it is there.") if name else UnexpectedError.of(error)
    zh, en = in_both(error.message)
    # It is the sender who asks: nobody has to be asked.
    advice = error.sender_advice or error.advice
    advice_zh, advice_en = in_both(advice) if advice else (None, None)
    return Finding(
        code=OF_FILES.get(error.cause, OF_FILES["unexpected"]),
        action="stop",
        message_zh=error.message_zh or zh,
        message_en=en,
        column=error.column,
        file=error.file,
        advice_zh=advice_zh,
        advice_en=advice_en,
    )


def _places(contract: Contract, parts: Sequence[Part], refused: _Refused) -> Callable[[tuple[int, int]], Place]:
    """What says where a row that is kept stands, by part and number: files are read a second time for it."""
    stands = {
        (part, number): Place(parts[part].source_name, number, line, sheet)
        for part, numbers in refused.kept_places().items()
        for number, (sheet, line) in lines_at(contract, parts[part], numbers).items()
    }
    return lambda at: stands.get(at) or Place(parts[at[0]].source_name, at[1])


def _of_rows(contract: Contract, refused: _Refused, place_of: Callable[[tuple[int, int]], Place]) -> list[Finding]:
    """A finding for each thing that rows are refused for."""
    return [
        Finding(
            code=kind.code,
            action="refuse",
            message_zh=kind.message_zh,
            message_en=kind.message_en,
            count=refused.counts[kind],
            rule=kind.rule,
            column=kind.column,
            header=_header(contract, kind.column),
            places=[place_of(at) for at in sorted(places)],
        )
        for kind, places in refused.places.items()
    ]


def _placed(at: tuple[int, int], row: ReturnedRow, place_of: Callable[[tuple[int, int]], Place]) -> ReturnedRow:
    place = place_of(at)
    reasons = [
        {**reason, "other_line": place_of(other).seen} if (other := other_of(at, reason)) else reason
        for reason in row.reasons
    ]
    return ReturnedRow((place.file, str(place.sheet or ""), str(place.seen)), row.values, reasons)


def other_of(at: tuple[int, int], reason: Reason) -> tuple[int, int] | None:
    """Part and number of the row that the one at *at* contradicts; None where it contradicts none."""
    if not reason.get("other_row"):
        return None
    part = reason.get("other_object")
    return at[0] if part is None else int(part) - 1, int(reason["other_row"])


def _of_all(contract: Contract, verdict: Verdict) -> list[Finding]:
    """A finding for each rule that warns, or stops the delivery."""
    rules = {rule.rule: rule for rule in (*contract.rules, *contract.batch_rules)}
    return [
        Finding(
            code=OF_RULES[check.expectation],
            rule=check.rule,
            column=check.column,
            header=_header(contract, check.column),
            action=check.action,
            message_zh=rules[check.rule].message_zh,
            message_en=rules[check.rule].message_en,
            count=check.unexpected,
        )
        for check in verdict.checks
        if check.outcome in {"warned", "stopped"}
    ]


def _of_periods(
    contract: Contract, delivery: Delivery, parts: Sequence[Part], periods: _Periods, verdict: Verdict
) -> list[Finding]:
    """What stops a whole period: no row of it, or none of one part, speaks of it. Corrections may speak of any."""
    originals = [part for part in parts if not part.is_correction]
    if contract.delivery_kind != "full_period" or not originals or not verdict.counts.accepted:
        return []
    if not speaks_of(verdict.touched, delivery):
        return [_of_period(other_period(delivery), verdict.counts.accepted)]
    return [
        _of_period(part_of_other_period(part.source_name, delivery), 1)
        for part in originals
        if part.landed_object_id in periods.filled - periods.own
    ]


def _of_period(texts: tuple[str, str], count: int) -> Finding:
    return Finding(
        code=PERIOD_CODE, action="stop", message_zh=texts[1], message_en=texts[0], count=count, rule=WRONG_PERIOD
    )


def _of_no_row(verdict: Verdict) -> list[Finding]:
    if verdict.counts.received:
        return []
    zh, en = in_both("There is no row: the delivery would come as an empty one.")
    advice_zh, advice_en = in_both("send it so only if it is meant: an empty file may stop where rows stood before.")
    return [
        Finding(
            code=NO_ROW_CODE,
            action="warn",
            message_zh=zh,
            message_en=en,
            count=0,
            advice_zh=advice_zh,
            advice_en=advice_en,
        )
    ]


def _header(contract: Contract, column: str | None) -> str:
    return contract.by_name[column].source_name if column is not None else ""
