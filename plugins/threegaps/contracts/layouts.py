"""Whether the layouts of a file format fit the columns: each column has one source, in every file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from threegaps.contracts.model import Column, Contract, Header, header_of
from threegaps.contracts.options.formats import (
    CsvLayout,
    JsonPagesFormat,
    WorkbookFormat,
    WorkbookLayout,
    layouts_of,
)
from threegaps.contracts.refusals import unknown_column
from threegaps.errors import ContractError

_FORMAT = "customProperties/fileFormat"


def check_layouts(contract: Contract) -> None:
    """Refuse a file format that leaves open where a column's values come from.

    Raises:
        ContractError: With the path of the option, and the column.
    """
    layouts = layouts_of(contract.file_format)
    for column in contract.columns:
        _check_origin(contract, column, layouts)
    for path, name in _names(contract):
        if name not in contract.by_name:
            raise unknown_column(contract, path, name)
    for layout in layouts or (None,):
        _check_headers(contract, layout)


def headers_of(column: Column, layout: CsvLayout | WorkbookLayout | None) -> tuple[Header, ...]:
    """What files of *layout* call the column; none where they do not have it."""
    if layout is None:
        return column.headers
    if column.name in layout.without:
        return ()
    written = layout.headers.get(column.name)
    return column.headers if written is None else tuple(header_of(header) for header in written)


def _check_origin(contract: Contract, column: Column, layouts: tuple[CsvLayout | WorkbookLayout, ...]) -> None:
    declared = contract.file_format
    named: frozenset[str] = frozenset()
    values: Mapping[str, str] = {}
    if not isinstance(declared, JsonPagesFormat):
        named, values = declared.file_name_columns, declared.values
    problem = None
    if column.origin is not None and column.headers:
        problem = "has headers and an origin: its values come from one place"
    elif column.origin == "sheet_name" and not isinstance(declared, WorkbookFormat):
        problem = f"comes from a sheet's name, and the file format is {declared.kind}"
    elif (column.origin == "file_name") != (column.name in named):
        problem = f"needs both the origin file_name and a group of its name in {_FORMAT}/fileName"
    elif (column.origin == "declared") != _is_declared(values, column.name, layouts):
        problem = f"needs both the origin declared and its value in {_FORMAT}/values, or in that of each layout"
    elif column.required and any(column.name in layout.without for layout in layouts):
        problem = "is required, and a layout is without it"
    if problem is not None:
        raise ContractError(f"The column {problem}.", feed=contract.feed, column=column.name)


def _is_declared(values: Mapping[str, str], name: str, layouts: tuple[CsvLayout | WorkbookLayout, ...]) -> bool:
    return name in values or (bool(layouts) and all(name in layout.values for layout in layouts))


def _names(contract: Contract) -> Iterator[tuple[str, str]]:
    declared = contract.file_format
    if isinstance(declared, JsonPagesFormat):
        return
    for name in itertools.chain(declared.values, declared.file_name_columns):
        yield _FORMAT, name
    for index, layout in enumerate(declared.layouts):
        for name in itertools.chain(layout.headers, layout.without, layout.values):
            yield f"{_FORMAT}/layouts/{index}", name


def _check_headers(contract: Contract, layout: CsvLayout | WorkbookLayout | None) -> None:
    """One name means one column on any day."""
    seen: list[tuple[str, Header]] = []
    for column in contract.columns:
        for header in headers_of(column, layout):
            for other, earlier in seen:
                if (
                    other != column.name
                    and header.name == earlier.name
                    and header.valid_from <= earlier.valid_to
                    and earlier.valid_from <= header.valid_to
                ):
                    raise ContractError(
                        f"The header {header.name} means {other} too{f' in layout {layout.name}' if layout else ''}.",
                        feed=contract.feed,
                        column=column.name,
                    )
            seen.append((column.name, header))
