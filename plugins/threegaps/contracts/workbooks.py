"""Workbooks that several contracts read, each its own sheets: that no sheet is left to a feed that does not read it."""

from __future__ import annotations

from collections.abc import Iterable

from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import (
    AllSheets,
    MatchingSheets,
    NamedSheets,
    SheetsOfAnotherFeed,
    WorkbookFormat,
)
from threegaps.contracts.options.sources import FileDropSource, SftpSource
from threegaps.errors import ContractError


def check_shared_workbooks(contracts: Iterable[Contract]) -> None:
    """Compare what each contract leaves to another one with what that one reads.

    Raises:
        ContractError: The other feed has no contract, is sent in other files, or reads other sheets of them.
    """
    by_feed = {contract.feed: contract for contract in contracts}
    for contract in by_feed.values():
        if not isinstance(contract.file_format, WorkbookFormat):
            continue
        for index, left in enumerate(contract.file_format.sheets_of_other_feeds):
            problem = _problem(contract, by_feed.get(left.feed), left)
            if problem:
                raise ContractError(
                    f"customProperties/fileFormat/sheetsOfOtherFeeds/{index}: {left.feed} {problem}.",
                    feed=contract.feed,
                    advice="say in both contracts the same files, and here the sheets that the other one reads.",
                )


def has_sheet_of_each_county(contract: Contract) -> bool:
    """Whether its workbooks have a sheet of every county in force: one that is blank says that there is nothing."""
    declared = contract.file_format
    return (
        isinstance(declared, WorkbookFormat) and isinstance(declared.sheets, AllSheets) and declared.sheets.each_county
    )


def _problem(contract: Contract, other: Contract | None, left: SheetsOfAnotherFeed) -> str:
    if other is None:
        return "has no contract"
    if other.feed == contract.feed:
        return "is this feed itself"
    if not isinstance(other.file_format, WorkbookFormat) or _files(other) != _files(contract):
        return "is not sent in the same workbooks"
    match other.file_format.sheets:
        case NamedSheets(names=names):
            agrees = set(names) == set(left.names) and left.pattern is None
        case MatchingSheets(pattern=pattern):
            agrees = pattern == left.pattern and not left.names
        case _:
            agrees = False
    return "" if agrees else "reads other sheets"


def _files(contract: Contract) -> tuple[str, str]:
    """Where the workbooks lie: connection, and the pattern of their names."""
    source = contract.source
    return contract.connection_id, source.files.part if isinstance(source, SftpSource | FileDropSource) else ""
