"""How one file is read: the contract's format with what the layout of its name differs in, and its columns by name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from threegaps.batch.decode.blocks import Part
from threegaps.contracts.layouts import headers_of
from threegaps.contracts.model import Contract, Header
from threegaps.contracts.options.formats import CsvFormat, CsvLayout, JsonPagesFormat, WorkbookFormat, WorkbookLayout
from threegaps.errors import ContractError, FeedError

_Kind = TypeVar("_Kind", CsvLayout, WorkbookLayout)
_OWN = frozenset({"name", "files", "headers", "without", "values"})


@dataclass(frozen=True, slots=True)
class Layout:
    """What to expect of one file.

    Args:
        columns: The headers of each column that should stand in it, by canonical name, of whatever days.
        values: What columns are that stand in no column of the file, for all of its rows.
        day: The day whose headers it should have.
    """

    columns: Mapping[str, tuple[Header, ...]]
    values: Mapping[str, str] = field(default_factory=dict)
    day: dt.date = dt.date.max


def csv_layout(contract: Contract, part: Part) -> tuple[CsvFormat, Layout]:
    """Format and layout of a file of delimited lines.

    Raises:
        ContractError: The format is another one.
        FeedError: The file's name fits no layout, or not the pattern for file names.
    """
    declared = contract.file_format
    if not isinstance(declared, CsvFormat):
        raise ContractError(f"The file format is {declared.kind}, not csv.", feed=contract.feed)
    chosen = _chosen(contract, part, declared.layouts)
    return declared.model_copy(update=_differences(chosen)), _layout(contract, part, declared, chosen)


def workbook_layout(contract: Contract, part: Part) -> tuple[WorkbookFormat, Layout]:
    """Format and layout of a workbook; see `csv_layout`."""
    declared = contract.file_format
    if not isinstance(declared, WorkbookFormat):
        raise ContractError(f"The file format is {declared.kind}, not xlsx.", feed=contract.feed)
    chosen = _chosen(contract, part, declared.layouts)
    return declared.model_copy(update=_differences(chosen)), _layout(contract, part, declared, chosen)


def json_layout(contract: Contract, part: Part) -> tuple[JsonPagesFormat, Layout]:
    """Format and layout of answers of an interface.

    Raises:
        ContractError: The format is another one.
    """
    declared = contract.file_format
    if not isinstance(declared, JsonPagesFormat):
        raise ContractError(f"The file format is {declared.kind}, not json_pages.", feed=contract.feed)
    columns = {column.name: column.headers for column in contract.columns if column.headers}
    return declared, Layout(columns, day=part.delivery_end)


def _chosen(contract: Contract, part: Part, layouts: tuple[_Kind, ...]) -> _Kind | None:
    if not layouts:
        return None
    fitting = [layout for layout in layouts if re.fullmatch(layout.files, part.source_name)]
    if len(fitting) == 1:
        return fitting[0]
    raise FeedError(
        "The file's name fits none of the contract's layouts."
        if not fitting
        else f"The file's name fits several of the contract's layouts: {', '.join(layout.name for layout in fitting)}.",
        feed=contract.feed,
        file=part.source_name,
        advice="compare it with customProperties/fileFormat/layouts of the contract.",
        sender_advice="name the file as agreed.",
    )


def _differences(layout: CsvLayout | WorkbookLayout | None) -> dict[str, object]:
    if layout is None:
        return {}
    said = {name: getattr(layout, name) for name in type(layout).model_fields if name not in _OWN}
    return {name: value for name, value in said.items() if value is not None}


def _layout(
    contract: Contract, part: Part, declared: CsvFormat | WorkbookFormat, chosen: CsvLayout | WorkbookLayout | None
) -> Layout:
    columns = {column.name: headers_of(column, chosen) for column in contract.columns if column.origin is None}
    values = {**declared.values, **(chosen.values if chosen else {}), **_from_name(contract, part, declared.file_name)}
    return Layout({name: headers for name, headers in columns.items() if headers}, values, part.delivery_end)


def _from_name(contract: Contract, part: Part, pattern: str | None) -> dict[str, str]:
    if pattern is None:
        return {}
    match = re.fullmatch(pattern, part.source_name)
    if match is None:
        raise FeedError(
            "The file's name has not the form from which the contract takes values.",
            feed=contract.feed,
            file=part.source_name,
            advice="compare it with customProperties/fileFormat/fileName of the contract.",
            sender_advice="name the file as agreed.",
        )
    return {name: value for name, value in match.groupdict().items() if value is not None}
