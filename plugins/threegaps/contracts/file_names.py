"""Whether the names of a delivery's files fit what else the contract says of them: parts, corrections, layouts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.options.deliveries import QuietFiles
from threegaps.contracts.options.formats import JsonPagesFormat, layouts_of
from threegaps.contracts.options.sources import FileDropSource, FileNames, SftpSource
from threegaps.contracts.options.templates import (
    DELIVERY,
    compiled_template,
    filled,
    group_fits,
    group_span,
    number_form,
    plain_name,
)
from threegaps.errors import ContractError

_FILES = "servers/0/customProperties/source/files"
_FORMAT = "customProperties/fileFormat"
_YEARS_AHEAD = 12
_ALTERNATIVES = re.compile(r"\(\?P<part>([\w-]+(?:\|[\w-]+)*)\)")


def check_file_names(contract: Contract) -> None:
    """Refuse names of files by which a delivery could never be whole, or its files could not be read.

    Where a pattern fits more names than can be listed, what it fits is left to the run.

    Raises:
        ContractError: With the path of the option, and what is right.
    """
    source = contract.source
    if not isinstance(source, SftpSource | FileDropSource):
        return
    _check_groups(contract, source.files)
    _check_days(contract, source)
    _check_parts(contract, source.files)
    first = Delivery.parse(contract.cadence, contract.first_delivery)
    _check_corrections(contract, source.files, first)
    _check_layouts(contract, source.files, first)


def _check_groups(contract: Contract, names: FileNames) -> None:
    if (names.control is None) == (contract.completeness.kind == "control_file"):
        raise ContractError(
            "A delivery is complete by a control file where the source names one, and only there.",
            feed=contract.feed,
            advice=f"add {_FILES}/control, or name another completeness.",
        )
    has_parts = "part" in compiled_template(names.part).groupindex
    if has_parts == (contract.completeness.kind == "file"):
        raise ContractError(
            "Files of several parts are known from each other by a group `part`; a delivery of one file has none.",
            feed=contract.feed,
            advice=f"mend {_FILES}/part, or name another completeness.",
        )


def _check_days(contract: Contract, source: SftpSource | FileDropSource) -> None:
    """A month names no day: the days of one would share their files."""
    if contract.cadence != "day" or DELIVERY in (source.folder or ""):
        return
    for name in type(source.files).model_fields:
        template = getattr(source.files, name)
        if template is not None and DELIVERY not in template:
            raise ContractError(
                f"{_FILES}/{name}: {{yyyymm}} is the same on every day of a month, and the feed comes by day.",
                feed=contract.feed,
                advice=f"write {DELIVERY} where the day stands.",
            )


def _check_parts(contract: Contract, names: FileNames) -> None:
    completeness = contract.completeness
    if not isinstance(completeness, QuietFiles):
        return
    if completeness.parts is not None:
        missing = [part for part in completeness.parts if not group_fits(names.part, "part", part)]
        key = "parts"
    else:
        numbers = range(1, (completeness.part_count or 0) + 1)
        missing = [str(number) for number in numbers if number_form(names.part, "part", number) is None]
        key = "partCount"
    if missing:
        raise ContractError(
            f"customProperties/delivery/completeness/{key}: no file can be the part {missing[0]!r}, which the group"
            f" `part` of {_FILES}/part never is, so that no delivery would be complete.",
            feed=contract.feed,
            advice="mend the one or the other.",
        )
    if completeness.parts is not None:
        _check_alternatives(contract, names, completeness.parts)


def _check_alternatives(contract: Contract, names: FileNames, parts: Iterable[str]) -> None:
    """A part that the names have and the contract does not would stop every delivery that it comes with."""
    span = group_span(names.part, "part")
    listed = _ALTERNATIVES.fullmatch(names.part[slice(*span)]) if span else None
    unknown = [word for word in listed[1].split("|") if word not in parts] if listed else []
    if unknown:
        raise ContractError(
            f"{_FILES}/part: the part {unknown[0]!r} is not among customProperties/delivery/completeness/parts.",
            feed=contract.feed,
            advice="add it there, or take it out here.",
        )


def _check_corrections(contract: Contract, names: FileNames, first: Delivery) -> None:
    """A correction that is taken for a part would stand in its stead."""
    for name in _correction_names(names, first):
        if re.fullmatch(filled(names.part, first), name, re.ASCII):
            raise ContractError(
                f"{_FILES}/part: fits corrections too, such as {name}.",
                feed=contract.feed,
                advice="say in it what only the delivery's own files are called.",
            )


def _check_layouts(contract: Contract, names: FileNames, first: Delivery) -> None:
    declared = contract.file_format
    layouts = layouts_of(declared)
    expected = None if isinstance(declared, JsonPagesFormat) else declared.file_name
    if not layouts and expected is None:
        return
    of_first = _names(contract, names, first)
    for name in of_first:
        if expected is not None and not re.fullmatch(expected, name):
            raise ContractError(
                f"{_FORMAT}/fileName: does not fit files of the delivery, such as {name}.",
                feed=contract.feed,
                advice=f"mend it, or {_FILES}/part.",
            )
        if layouts and not any(re.fullmatch(layout.files, name) for layout in layouts):
            raise ContractError(
                f"{_FORMAT}/layouts: files of the delivery, such as {name}, fit none of them.",
                feed=contract.feed,
                advice=f"mend `files` of one, or {_FILES}/part.",
            )
    for delivery in _yearly(first):
        for name in _names(contract, names, delivery):
            fitting = [index for index, layout in enumerate(layouts) if re.fullmatch(layout.files, name)]
            if len(fitting) > 1:
                raise ContractError(
                    f"{_FORMAT}/layouts/{fitting[1]}/files: fits {name}, as layout"
                    f" {layouts[fitting[0]].name} does: how the file is to be read cannot be known.",
                    feed=contract.feed,
                    advice="let each file have one layout.",
                )
    for index, layout in enumerate(layouts):
        if of_first and not any(
            re.fullmatch(layout.files, name)
            for delivery in _all_from(first)
            for name in _names(contract, names, delivery)
        ):
            raise ContractError(
                f"{_FORMAT}/layouts/{index}/files: fits no file of any delivery, such as {of_first[0]}.",
                feed=contract.feed,
                advice=f"mend it, or take layout {layout.name} out.",
            )


def _names(contract: Contract, names: FileNames, delivery: Delivery) -> tuple[str, ...]:
    """What files of a delivery are called, corrections too, as far as their patterns say; none where they do not."""
    completeness, pattern = contract.completeness, filled(names.part, delivery)
    parts: tuple[str | None, ...]
    if isinstance(completeness, QuietFiles) and completeness.parts is not None:
        parts = completeness.parts
    else:
        parts = (number_form(pattern, "part", 1),)
    groups = {"parts": number_form(pattern, "parts", 1) or ""}
    found = [plain_name(pattern, groups | {"part": part or ""}) for part in parts]
    if any(name is None or re.fullmatch(pattern, name, re.ASCII) is None for name in found):
        return ()
    return (*(name for name in found if name is not None), *_correction_names(names, delivery))


def _correction_names(names: FileNames, delivery: Delivery) -> tuple[str, ...]:
    if names.correction is None:
        return ()
    pattern = filled(names.correction, delivery)
    name = plain_name(pattern, {"part": number_form(pattern, "part", 1) or ""})
    return () if name is None or re.fullmatch(pattern, name, re.ASCII) is None else (name,)


def _yearly(first: Delivery) -> Iterator[Delivery]:
    for years in range(_YEARS_AHEAD):
        yield Delivery.containing(first.cadence, first.start.replace(day=1, year=first.start.year + years))


def _all_from(first: Delivery) -> Iterator[Delivery]:
    delivery = first
    while delivery.start.year < first.start.year + _YEARS_AHEAD:
        yield delivery
        delivery = delivery.next()
