"""Which files of a folder make up a delivery, by the way in which the contract says that it is complete."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.options.deliveries import ControlFile, QuietFiles, SingleFile
from threegaps.contracts.options.sources import FileDropSource, FileNames, SftpSource
from threegaps.errors import ContractError, FeedError
from threegaps.landing.store import Arrival
from threegaps.ledger.landed import CONTROL_PART
from threegaps.sources.control_file import MOST_BYTES, Control, understood
from threegaps.sources.model import Offer
from threegaps.sources.names import any_period, common_form, expected_parts, filled, has_period, part_name, pattern_of
from threegaps.sources.quiet import FoundFile, Looks
from threegaps.standards.visible import log_of

logger = log_of(__name__)

# Matches no name.
_NEVER = "(?!)"


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds.

    Args:
        name: What the contract calls it.
        files: Its regular files, by names in whole characters.
        strays: What else is in it, by what it is: other kinds of things, names that are none.
    """

    name: str
    files: Sequence[FoundFile]
    strays: Counter[str]


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The files of a folder by what they are to a delivery."""

    control: FoundFile | None
    parts: dict[str, list[tuple[FoundFile, re.Match[str]]]]
    corrections: dict[str, list[FoundFile]]
    strangers: list[FoundFile]


def file_source(contract: Contract) -> SftpSource | FileDropSource:
    """The source of a feed that comes in files.

    Raises:
        ContractError: It comes in another way.
    """
    if not isinstance(contract.source, SftpSource | FileDropSource):
        raise ContractError("The feed does not come in files.", feed=contract.feed)
    return contract.source


def looks_of(contract: Contract) -> Looks:
    """How long the files of a feed must have been left alone.

    Raises:
        ContractError: It does not come in files.
    """
    if not isinstance(contract.completeness, ControlFile | SingleFile | QuietFiles):
        raise ContractError("The feed does not come in files.", feed=contract.feed)
    return Looks(contract.completeness.quiet_seconds)


def offer_files(contract: Contract, delivery: Delivery, folder: Folder, looks: Looks) -> Offer:
    """Parts, corrections and control file of a delivery among the files of its folder.

    Where a control file says what belongs to a delivery, parts count only once it is there; parts that count themselves
    among another number than it announces are left where they lie: they are of an earlier sending. Corrections add to a
    delivery at any time. A file that may still be being written is no part yet.

    Raises:
        FeedError: A file of another period lies in the delivery's own folder, a name stands for two files, a part is
            none that the contract names, or the control file is not understood.
    """
    found = _sorted(contract, delivery, folder)
    left: dict[str, float] = {}

    def is_quiet(file: FoundFile) -> bool:
        seconds = looks.seconds_left(folder.name, file)
        if seconds > 0:
            left[file.name] = seconds
        return seconds <= 0

    _log_strangers(contract, delivery, folder, found)
    control = found.control if found.control is not None and is_quiet(found.control) else None
    said = None if control is None else _said(contract, control)
    parts, others = _of_this_sending(found.parts, said)
    if others and control is not None and said is not None:
        logger.warning(
            "%s %s: %s announces %d parts; not of this sending: %s.",
            contract.feed,
            delivery,
            control.name,
            said.parts,
            ", ".join(file.name for file in others),
        )
    if isinstance(contract.completeness, ControlFile) and said is None:
        parts = {}
    originals = {part: _only(contract, delivery, files) for part, files in parts.items()}
    corrections = {part: _only(contract, delivery, files) for part, files in found.corrections.items()}
    waiting_for = _missing(contract, delivery, originals, said, has_control=found.control is not None)
    arrivals = [_arrival(file, part) for part, file in sorted(originals.items()) if is_quiet(file)]
    if control is not None:
        # The control file behind its parts: a delivery whose landing is cut off is not yet complete.
        arrivals.append(_arrival(control, CONTROL_PART))
    # Corrections behind the sending that they may be of: loads take them in this order (`feed_run.sendings`), and a
    # month's rows are copied faster where none of it stands yet.
    arrivals += [
        _arrival(file, part, is_correction=True) for part, file in sorted(corrections.items()) if is_quiet(file)
    ]
    if left and waiting_for is None:
        waiting_for = f"{len(left)} files that may still be being written"
    return Offer(arrivals, waiting_for=waiting_for, settles_in=max(left.values(), default=None))


def _sorted(contract: Contract, delivery: Delivery, folder: Folder) -> _Sorted:
    names = file_source(contract).files
    part_pattern = pattern_of(names.part, delivery)
    correction_pattern = pattern_of(names.correction or _NEVER, delivery)
    control_name = None if names.control is None else filled(names.control, delivery)
    found = _Sorted(None, defaultdict(list), defaultdict(list), [])
    control: list[FoundFile] = []
    for file in sorted(folder.files, key=lambda found: found.name):
        if file.name == control_name:
            control.append(file)
        elif match := part_pattern.fullmatch(file.name):
            found.parts[_part_of(contract, file, match)].append((file, match))
        elif (match := correction_pattern.fullmatch(file.name)) and match["part"].isdigit():
            found.corrections[f"correction{int(match['part']):04d}"].append(file)
        else:
            found.strangers.append(file)
    if has_period(_folder_template(contract)):
        _refuse_other_periods(contract, delivery, names, found.strangers)
    _refuse_same_names(contract, delivery, folder, found, control)
    return _Sorted(control[0] if control else None, found.parts, found.corrections, found.strangers)


def _part_of(contract: Contract, file: FoundFile, match: re.Match[str]) -> str:
    completeness, group = contract.completeness, match.groupdict().get("part")
    part = part_name(None if isinstance(completeness, SingleFile) else group)
    if isinstance(completeness, QuietFiles) and part not in expected_parts(completeness):
        raise FeedError(
            "The file is of a part that the contract does not name.",
            feed=contract.feed,
            file=file.name,
            advice="ask the department; a new part is added to the contract's completeness.",
        )
    return part


def _refuse_other_periods(
    contract: Contract, delivery: Delivery, names: FileNames, strangers: Sequence[FoundFile]
) -> None:
    control = None if names.control is None else re.escape(names.control).replace(r"\{", "{").replace(r"\}", "}")
    strange = [any_period(template) for template in (names.part, names.correction, control) if template is not None]
    for file in strangers:
        if any(pattern.fullmatch(file.name) for pattern in strange):
            raise FeedError(
                f"The file is of another period than the delivery {delivery} that it lies in.",
                feed=contract.feed,
                file=file.name,
                advice="ask the department to move it to its own folder, or to name it right.",
            )


def _refuse_same_names(
    contract: Contract, delivery: Delivery, folder: Folder, found: _Sorted, control: Sequence[FoundFile]
) -> None:
    """Refuse a file beside which another one lies whose name differs only in form: which is meant cannot be known."""
    taken = [
        *control,
        *(file for files in found.parts.values() for file, _ in files),
        *(file for files in found.corrections.values() for file in files),
    ]
    forms = Counter(common_form(file.name) for file in folder.files)
    for file in taken:
        if forms[common_form(file.name)] > 1:
            raise FeedError(
                f"Files of the delivery {delivery} have names that differ only in form (letter case, full-width or"
                " invisible characters, accents, zeros before a number).",
                feed=contract.feed,
                file=file.name,
                advice="ask the department which one is meant, and to take the other away.",
            )


def _of_this_sending(
    parts: dict[str, list[tuple[FoundFile, re.Match[str]]]], said: Control | None
) -> tuple[dict[str, list[FoundFile]], list[FoundFile]]:
    """The files of each part, and those that count themselves among another number of parts than is announced."""
    others = [
        file
        for files in parts.values()
        for file, match in files
        if said is not None and (count := match.groupdict().get("parts")) is not None and int(count) != said.parts
    ]
    of_this = {part: [file for file, _ in files if file not in others] for part, files in parts.items()}
    return {part: files for part, files in of_this.items() if files}, others


def _only(contract: Contract, delivery: Delivery, files: Sequence[FoundFile]) -> FoundFile:
    if len(files) > 1:
        raise FeedError(
            f"{len(files)} files of the delivery {delivery} stand for the same part.",
            feed=contract.feed,
            file=", ".join(file.name for file in files[:5]),
            advice="ask the department which one is meant, and to take the others away.",
        )
    return files[0]


def _missing(
    contract: Contract,
    delivery: Delivery,
    originals: dict[str, FoundFile],
    said: Control | None,
    *,
    has_control: bool,
) -> str | None:
    """What is not there of a delivery, in words for the log; None when everything is."""
    completeness, names = contract.completeness, file_source(contract).files
    if isinstance(completeness, ControlFile):
        if said is not None and len(originals) < said.parts:
            return f"{said.parts - len(originals)} of {said.parts} parts"
        return None if has_control else f"the control file {filled(names.control or '', delivery)}"
    if isinstance(completeness, SingleFile):
        return None if originals else "the file " + filled(names.part, delivery).replace("\\", "")
    wanted = expected_parts(completeness) if isinstance(completeness, QuietFiles) else ()
    missing = [part for part in wanted if part not in originals]
    return f"the parts {', '.join(missing)}" if missing else None


def _said(contract: Contract, control: FoundFile) -> Control:
    content = b""
    for chunk in control.chunks():
        content += chunk
        if len(content) > MOST_BYTES:
            break
    return understood(contract, control.name, content)


def _log_strangers(contract: Contract, delivery: Delivery, folder: Folder, found: _Sorted) -> None:
    """Say how many things lie there that are not taken, and never what they are called."""
    names = file_source(contract).files
    alike = [
        re.compile(filled(template, delivery), re.IGNORECASE)
        for template in (names.part, names.correction)
        if template is not None
    ]
    kinds = Counter(folder.strays)
    if has_period(_folder_template(contract)):
        kinds["files with other names"] += len(found.strangers)
    nearly = sum(
        1
        for file in found.strangers
        if any(pattern.fullmatch(unicodedata.normalize("NFKC", file.name)) for pattern in alike)
    )
    kinds["files whose names are right but for their form"] += nearly
    if text := ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items()) if count):
        level = logging.WARNING if nearly else logging.INFO
        logger.log(level, "%s %s: passed over in the folder %s: %s.", contract.feed, delivery, folder.name, text)


def _folder_template(contract: Contract) -> str:
    return file_source(contract).folder or ""


def _arrival(file: FoundFile, part: str, *, is_correction: bool = False) -> Arrival:
    return Arrival(
        part=part,
        source_name=file.name,
        chunks=file.chunks,
        is_correction=is_correction,
        modified_at=file.modified_at,
        size_bytes=file.size_bytes,
    )


def within(contract: Contract, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a file, up to the size that the contract allows.

    Raises:
        FeedError: It is larger.
    """
    most = file_source(contract).largest_file_mib << 20
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise FeedError(
                f"The file holds more than {most >> 20} MiB.",
                feed=contract.feed,
                file=name,
                cause="limit_exceeded",
                advice="ask the department; a larger one is allowed by the contract's `largestFileMib`.",
            )
        yield chunk
