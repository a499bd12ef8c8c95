"""Judging files as the pipeline would, in one pass, without anything but the contract."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threegaps.batch.decode import Part
from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.judge import Judgement
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.batch.reading import lines_at
from threegaps.batch.verdict import Verdict
from threegaps.calendar import Delivery, deliveries_between
from threegaps.contracts.model import Contract, Rule
from threegaps.contracts.options.sources import FileDropSource, SftpSource
from threegaps.contracts.tables import QUARANTINE_COLUMNS
from threegaps.errors import FeedError, ThreeGapsError
from threegaps.file_check.codes import NAME_CODE, OF_FAULTS, OF_FILES, OF_RULES
from threegaps.file_check.findings import FileFindings, Finding, Place
from threegaps.returned import ReturnedRow
from threegaps.sources.names import FileRole, has_period, role_of

WHERE = ("来源文件", "工作表", "文件中的行", "行号")
"""Which row it is, in the workbook of a check."""

_LARGEST_FIELD = 2**31 - 1
Refused = tuple[int, int, dict[str, str | None], list[dict[str, Any]]]
"""Index of the part, row number, what was sent, reasons."""


def check_files(contract: Contract, paths: Sequence[Path], delivery: Delivery) -> FileFindings:
    """Everything that the pipeline would find in files of one delivery.

    A file that cannot be read as the contract declares is one finding, and the others are judged all the same. What
    needs to know earlier deliveries (how many rows there were, which rows are corrected) cannot be found.

    Args:
        contract: The feed's contract.
        paths: The files, parts and corrections alike, told apart by their names.
        delivery: The delivery that they are judged as: which columns there are, and which days there can be.
    """
    roles = {path: _role(contract, delivery, path) for path in paths}
    broken = [_misnamed(contract, delivery, path) for path, role in roles.items() if role is None]
    left = [path for path, role in roles.items() if role != "control"]
    while left:
        parts = [_part(delivery, place, path, roles[path]) for place, path in enumerate(left, 1)]
        try:
            refused, verdict = _judge(contract, parts, delivery)
        except (ThreeGapsError, OSError) as error:
            place = _place_of(error, left)
            broken.append(_of_file(error, left[place]))
            # Of two files of the same name either may be the one: the other is judged in the next turn.
            del left[place]
            continue
        return _found(contract, paths, delivery, parts, broken, refused, verdict)
    return FileFindings(contract.feed, contract.version, delivery.key, [path.name for path in paths], None, broken, ())


def deliveries_of(contract: Contract, paths: Sequence[Path], day: dt.date) -> list[Delivery]:
    """The deliveries that all these files can be of by their names, in order, up to the one that *day* is in.

    Where names say nothing of a period, or the feed does not come in files, these are all that have ended by then.
    """
    last = Delivery.containing(contract.cadence, day)
    known = deliveries_between(contract.cadence, contract.first_delivery, last.key)
    source = contract.source
    if not isinstance(source, SftpSource | FileDropSource):
        return [delivery for delivery in known if delivery.end < day]
    fitting = [
        delivery for delivery in known if all(role_of(source.files, delivery, path.name) is not None for path in paths)
    ]
    return fitting if has_period(source.files.part) else [one for one in fitting if one.end < day]


def _role(contract: Contract, delivery: Delivery, path: Path) -> FileRole | None:
    source = contract.source
    if not isinstance(source, SftpSource | FileDropSource):
        return "part"
    return role_of(source.files, delivery, path.name)


def _misnamed(contract: Contract, delivery: Delivery, path: Path) -> Finding:
    return Finding(
        code=NAME_CODE,
        rule=None,
        column=None,
        header="",
        action="stop",
        message_zh=f"文件名不是{delivery.key}这一期应有的名称,系统不会取走该文件",
        message_en=f"The file's name is none that delivery {delivery.key} has: it would be left lying.",
        count=1,
        file=path.name,
        advice="name it as agreed, or say which delivery it is of with --delivery.",
    )


def _part(delivery: Delivery, number: int, path: Path, role: FileRole | None) -> Part:
    return Part(
        number, path.name, lambda: path.open("rb"), is_correction=role == "correction", delivery_end=delivery.end
    )


def _judge(contract: Contract, parts: Sequence[Part], delivery: Delivery) -> tuple[list[Refused], Verdict]:
    # Nothing that the key makes leaves this function: rows that go back have their pseudonyms taken out.
    key = PseudonymKey(secrets.token_bytes(32), "check")
    judgement = Judgement(contract, parts, batch_id=0, delivery=delivery.key, key=key)
    refused: list[Refused] = []
    for block in judgement.blocks():
        refused += _refused_rows(block.refused)
    return refused, judgement.finish(certify=False)


def _refused_rows(written: bytes) -> Iterator[Refused]:
    """The rows of a block as they would go to quarantine."""
    if not written:
        return
    csv.field_size_limit(_LARGEST_FIELD)
    places = {name: index for index, name in enumerate(QUARANTINE_COLUMNS)}
    for row in csv.reader(io.StringIO(written.decode("utf-8"), newline="")):
        yield (
            int(row[places["landed_object_id"]]) - 1,
            int(row[places["row_number"]]),
            json.loads(row[places["row_data"]]),
            json.loads(row[places["reasons"]]),
        )


def _place_of(error: BaseException, paths: Sequence[Path]) -> int:
    """Which of *paths* an error is of; the only one, or the first, where it does not say."""
    name = error.file if isinstance(error, ThreeGapsError) else Path(str(getattr(error, "filename", ""))).name
    return next((place for place, path in enumerate(paths) if path.name == name), 0)


def _of_file(error: BaseException, path: Path) -> Finding:
    if not isinstance(error, ThreeGapsError):
        said = getattr(error, "strerror", None) or type(error).__name__
        error = FeedError(f"The file cannot be opened: {said}.", file=path.name, advice="look whether it is there.")
    return Finding(
        code=OF_FILES.get(error.cause, OF_FILES["unexpected"]),
        rule=None,
        column=error.column,
        header="",
        action="stop",
        message_zh=error.message_zh or error.message,
        message_en=error.message,
        count=1,
        file=path.name,
        advice=error.advice,
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tells one finding from another."""

    code: str
    rule: str
    column: str | None
    message_zh: str
    message_en: str


def _found(
    contract: Contract,
    paths: Sequence[Path],
    delivery: Delivery,
    parts: Sequence[Part],
    broken: Sequence[Finding],
    refused: Sequence[Refused],
    verdict: Verdict,
) -> FileFindings:
    rules = {rule.rule: rule for rule in (*contract.rules, *contract.batch_rules)}
    lines = _lines(contract, parts, refused)
    headers = {column.name: column.source_name for column in contract.sent_columns}
    places: dict[_Kind, list[Place]] = {}
    rows = []
    for part, number, values, reasons in sorted(refused, key=lambda row: row[:2]):
        sheet, line = lines.get((part, number), (None, None))
        name = parts[part].source_name
        for reason in reasons:
            kind = _kind(rules, reason)
            places.setdefault(kind, []).append(Place(name, number, line, sheet))
        where = (name, str(sheet or ""), str(line or ""), str(number))
        rows.append(ReturnedRow(where, _without_person(contract, values), reasons))
    of_rows = [
        Finding(
            kind.code,
            kind.rule,
            kind.column,
            headers.get(kind.column or "", ""),
            "refuse",
            kind.message_zh,
            kind.message_en,
            len(found),
            found,
        )
        for kind, found in places.items()
    ]
    of_all = [
        Finding(
            OF_RULES[check.expectation],
            check.rule,
            check.column,
            headers.get(check.column or "", ""),
            check.action,
            rules[check.rule].message_zh,
            rules[check.rule].message_en,
            check.unexpected,
        )
        for check in verdict.checks
        if check.outcome in {"warned", "stopped"}
    ]
    ordered = sorted((*of_rows, *of_all), key=lambda one: (one.code, one.rule or "", one.column or "", one.message_en))
    return FileFindings(
        contract.feed,
        contract.version,
        delivery.key,
        [path.name for path in paths],
        verdict.counts,
        [*broken, *ordered],
        rows,
    )


def _kind(rules: Mapping[str, Rule], reason: Mapping[str, Any]) -> _Kind:
    fault = reason.get("fault")
    code = OF_FAULTS[FaultKind[fault]] if fault else OF_RULES[rules[reason["rule"]].expectation]
    if fault:
        # Where it stands in its sheet is said of each place, not of the kind.
        kind = FaultKind[fault]
        return _Kind(code, reason["rule"], reason["column"], kind.message_zh, kind.message_en)
    return _Kind(code, reason["rule"], reason["column"], reason["message_zh"], reason["message_en"])


def _lines(
    contract: Contract, parts: Sequence[Part], refused: Sequence[Refused]
) -> dict[tuple[int, int], tuple[int | None, int]]:
    """Where the refused rows stand, by part and number: their files are read a second time for it."""
    wanted: dict[int, set[int]] = {}
    for part, number, *_ in refused:
        wanted.setdefault(part, set()).add(number)
    return {
        (part, number): where
        for part, numbers in wanted.items()
        for number, where in lines_at(contract, parts[part], numbers).items()
    }


def _without_person(contract: Contract, values: Mapping[str, str | None]) -> dict[str, str | None]:
    """The row without the token or pseudonym that stands for its document number: it means nothing here."""
    return {name: None if contract.has_person and name == "resident_id" else value for name, value in values.items()}
