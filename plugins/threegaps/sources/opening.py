"""The source of a contract, by the protocol that it names."""

from __future__ import annotations

from threegaps.contracts.model import Contract
from threegaps.sources.database import open_table
from threegaps.sources.file_drop import open_drop
from threegaps.sources.http_gateway import open_gateway
from threegaps.sources.model import ChangeSourceContext, FileSourceContext
from threegaps.sources.sftp import open_sftp


def open_changes(contract: Contract) -> ChangeSourceContext:
    """The source of a feed of changes."""
    return open_gateway(contract) if contract.protocol == "http" else open_table(contract)


def open_files(contract: Contract) -> FileSourceContext:
    """The source of a feed that comes in files."""
    return open_sftp(contract) if contract.protocol == "sftp" else open_drop(contract)
