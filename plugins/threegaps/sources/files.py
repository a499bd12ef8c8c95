"""Deliveries that come as files: parts, corrections and a control file, or one file a delivery."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.options.sources import FileDropSource, FileNames, SftpSource
from threegaps.errors import ContractError
from threegaps.landing.store import Arrival
from threegaps.ledger.landed import CONTROL_PART
from threegaps.sources.model import Offer, any_period, filled, wrong_period

logger = logging.getLogger(__name__)

# Matches no name.
_NEVER = "(?!)"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file in a department's folder."""

    name: str
    size_bytes: int
    modified_at: dt.datetime
    chunks: Callable[[], Iterable[bytes]]


def offer_parts(contract: Contract, delivery: Delivery, files: Iterable[FoundFile]) -> Offer:
    """Parts, corrections and control file of a delivery among the files of its folder.

    Parts count only once the control file is there: before that they may still be on their way. Corrections are whole
    when they have their name, and add to a delivery at any time. Files that count themselves among another number of
    parts than the control file announces are left where they lie: they are of an earlier sending.

    Raises:
        FeedError: A file of another period lies in the folder.
    """
    names = file_names(contract)
    part_template, correction_template, control_template = names.part, names.correction or _NEVER, names.control or ""
    patterns = {name: re.compile(filled(name, delivery)) for name in (part_template, correction_template)}
    control_pattern = control_template.replace(".", r"\.")
    strange = [any_period(name) for name in (part_template, correction_template, control_pattern)]
    control: Arrival | None = None
    said: int | None = None
    parts: list[tuple[Arrival, int | None]] = []
    corrections: list[Arrival] = []
    for file in sorted(files, key=lambda found: found.name):
        if file.name == filled(control_template, delivery):
            control = _arrival(file, CONTROL_PART, is_correction=False)
            said = announced(b"".join(file.chunks())).get("parts")
        elif match := patterns[part_template].fullmatch(file.name):
            count = match.groupdict().get("parts")
            arrival = _arrival(file, f"part{int(match['part']):04d}", is_correction=False)
            parts.append((arrival, None if count is None else int(count)))
        elif match := patterns[correction_template].fullmatch(file.name):
            corrections.append(_arrival(file, f"correction{int(match['part']):04d}", is_correction=True))
        elif any(pattern.fullmatch(file.name) for pattern in strange):
            raise wrong_period(contract, file.name, delivery)
    if control is None:
        return Offer(corrections, waiting_for=f"the control file {filled(control_template, delivery)}")
    others = [one.source_name for one, count in parts if None not in (said, count) and count != said]
    if others:
        logger.warning(
            "%s %s: %s announces %s parts; not of this sending: %s.",
            contract.feed,
            delivery,
            control.source_name,
            said,
            ", ".join(others),
        )
    # The control file last: a delivery whose landing is cut off is not yet complete.
    return Offer([*(one for one, _ in parts if one.source_name not in others), *corrections, control])


def offer_single(contract: Contract, delivery: Delivery, files: Iterable[FoundFile]) -> Offer:
    """The one file of a delivery, by its name."""
    wanted = re.compile(filled(file_names(contract).part, delivery))
    for file in files:
        if wanted.fullmatch(file.name):
            return Offer([_arrival(file, "file", is_correction=False)])
    return Offer([], waiting_for="the file " + wanted.pattern.replace("\\", ""))


def file_names(contract: Contract) -> FileNames:
    """The names of the files of a feed that comes in files.

    Raises:
        ContractError: It comes in another way.
    """
    if not isinstance(contract.source, SftpSource | FileDropSource):
        raise ContractError("The feed does not come in files.", feed=contract.feed)
    return contract.source.files


def announced(control: bytes) -> dict[str, int]:
    """What a control file says, like ``parts=3 rows=120000``; names that it lacks are missing."""
    found = re.findall(r"(\w+)\s*=\s*(\d+)", control.decode("utf-8", errors="replace"))
    return {name: int(value) for name, value in found}


def _arrival(file: FoundFile, part: str, *, is_correction: bool) -> Arrival:
    return Arrival(
        part=part,
        source_name=file.name,
        chunks=file.chunks,
        is_correction=is_correction,
        modified_at=file.modified_at,
        size_bytes=file.size_bytes,
    )
