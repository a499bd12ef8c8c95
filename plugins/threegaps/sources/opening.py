"""The source of a feed, by the protocol that its contract names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from threegaps.contracts.model import Contract
from threegaps.contracts.vocabulary import PROTOCOLS_BY_KIND
from threegaps.errors import ContractError
from threegaps.sources.database import open_table
from threegaps.sources.file_drop import open_drop
from threegaps.sources.http_gateway import open_gateway
from threegaps.sources.model import FileSourceContext, InquirySourceContext
from threegaps.sources.sftp import open_sftp

Opened = TypeVar("Opened")

# Each of the protocols that ``PROTOCOLS_BY_KIND`` has.
INQUIRY_SOURCES: Mapping[str, Callable[[Contract], InquirySourceContext]] = {
    "http": open_gateway,
    "database": open_table,
}
FILE_SOURCES: Mapping[str, Callable[[Contract], FileSourceContext]] = {"sftp": open_sftp, "file_drop": open_drop}


def open_inquiry(contract: Contract) -> InquirySourceContext:
    """The source of a feed that is asked for."""
    return _opener(INQUIRY_SOURCES, contract)(contract)


def open_files(contract: Contract) -> FileSourceContext:
    """The source of a feed that comes in files."""
    return _opener(FILE_SOURCES, contract)(contract)


def _opener(sources: Mapping[str, Callable[[Contract], Opened]], contract: Contract) -> Callable[[Contract], Opened]:
    if contract.protocol not in sources:
        raise ContractError(
            f"Deliveries of kind {contract.delivery_kind} cannot be fetched by protocol {contract.protocol}.",
            feed=contract.feed,
            advice=f"it can be {' or '.join(PROTOCOLS_BY_KIND[contract.delivery_kind])}.",
        )
    return sources[contract.protocol]
