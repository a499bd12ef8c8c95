"""What holds for a whole workbook: its sheets, its shared texts, its styles, its date system."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.refusals import refuse_over_limit
from threegaps.batch.decode.xlsx.cells import CellReader, unescaped
from threegaps.batch.decode.xlsx.container import Container
from threegaps.batch.decode.xlsx.styles import read_styles
from threegaps.batch.decode.xlsx.xml_stream import Attributes, Events, names, relationship
from threegaps.contracts.model import Contract

_TRUE = frozenset({"1", "true", "on"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of cells.

    Args:
        position: Its position in the workbook, from 1.
        name: What the department calls it.
        is_hidden: Whether a person sees it only after asking for it, or never.
        path: Its part in the archive.
    """

    position: int
    name: str
    is_hidden: bool
    path: str


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook.

    Args:
        container: Its archive.
        sheets: Its sheets of cells, in order; charts are none.
        cells: Reads their cells.
        has_1904_dates: Whether its days count from 1904-01-01.
    """

    container: Container
    sheets: tuple[Sheet, ...]
    cells: CellReader
    has_1904_dates: bool


@dataclass(frozen=True, slots=True)
class _Link:
    kind: str
    target: str


def read_book(contract: Contract, part: Part, container: Container) -> Book:
    """The workbook in *container*.

    Raises:
        FeedError: It is damaged, no workbook, or over a limit.
    """
    main = next((link.target for link in _links(container, "").values() if link.kind == "officeDocument"), None)
    if main is None or main not in container:
        container.refuse("it is a zip archive without a workbook")
    links = _links(container, main)
    written: list[tuple[str, bool, str | None]] = []
    has_1904_dates = is_uncomputed = False
    allowed = contract.file_format.limits.sheets

    def start(local: str, attributes: Attributes) -> None:
        nonlocal has_1904_dates, is_uncomputed
        if local == "workbookPr":
            has_1904_dates = attributes.get("date1904", "").lower() in _TRUE
        elif local == "calcPr":
            is_uncomputed = attributes.get("fullCalcOnLoad", "").lower() in _TRUE
        elif local == "sheet":
            is_hidden = attributes.get("state", "visible") != "visible"
            written.append((attributes.get("name", ""), is_hidden, relationship(attributes)))
            if len(written) > allowed:
                refuse_over_limit(contract, part, "more sheets", "sheets", allowed)

    Events(container, names("workbookPr", "calcPr", "sheet"), start, lambda _: None).run(container.chunks(main))
    sheets = []
    for position, (name, is_hidden, identifier) in enumerate(written, 1):
        link = links.get(identifier or "")
        if link is None or link.target not in container:
            container.refuse(f"sheet {position} is missing from it")
        if link.kind not in {"chartsheet", "dialogsheet"}:
            sheets.append(Sheet(position, unescaped(name), is_hidden, link.target))
    by_kind = {link.kind: link.target for link in links.values()}
    strings = _shared_texts(contract, part, container, by_kind.get("sharedStrings"))
    styles = read_styles(container, by_kind.get("styles"))
    reader = CellReader(strings, styles, has_1904_dates=has_1904_dates, is_uncomputed=is_uncomputed)
    return Book(container, tuple(sheets), reader, has_1904_dates)


def _links(container: Container, path: str) -> dict[str, _Link]:
    """The parts that a part names, by id; those of the whole archive for an empty *path*."""
    folder, name = posixpath.split(path)
    found: dict[str, _Link] = {}
    beside = posixpath.join(folder, "_rels", f"{name}.rels")
    if beside not in container:
        return found

    def start(_: str, attributes: Attributes) -> None:
        if attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            where = target if target.startswith("/") else posixpath.join("/", folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = _Link(kind, posixpath.normpath(where).lstrip("/"))

    Events(container, names("Relationship"), start, lambda _: None).run(container.chunks(beside))
    return found


def _shared_texts(contract: Contract, part: Part, container: Container, path: str | None) -> list[str]:
    """The texts that cells name by number: runs joined, without what only says how they are pronounced."""
    texts: list[str] = []
    if path is None or path not in container:
        return texts
    limits = contract.file_format.limits
    pieces: list[str] = []
    characters = 0
    is_text = is_phonetic = False

    def start(local: str, _: Attributes) -> None:
        nonlocal is_text, is_phonetic
        if local == "si":
            pieces.clear()
        elif local == "rPh":
            is_phonetic = True
        elif local == "t":
            is_text = not is_phonetic

    def end(local: str) -> None:
        nonlocal is_text, is_phonetic
        if local == "si":
            texts.append(unescaped("".join(pieces)))
            if len(texts) > limits.strings:
                refuse_over_limit(contract, part, "more different texts", "strings", limits.strings)
        elif local == "rPh":
            is_phonetic = False
        else:
            is_text = False

    def text(piece: str) -> None:
        nonlocal characters
        if is_text:
            pieces.append(piece)
            characters += len(piece)
            if characters > limits.string_characters:
                allowed = limits.string_characters
                refuse_over_limit(contract, part, "more text in its cells", "stringCharacters", allowed)

    Events(container, names("si", "t", "rPh"), start, end, text).run(container.chunks(path))
    return texts
