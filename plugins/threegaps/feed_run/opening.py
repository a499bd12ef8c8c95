"""What every step of a feed run begins with: the feed's contract, and the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import LedgerError, is_warehouse_down, of_warehouse
from threegaps.ledger.migrate import check_connection
from threegaps.settings import Settings
from threegaps.sources.trouble import silence


def feed_of(settings: Settings, feed: str, delivery: str) -> tuple[Contract, Delivery]:
    """The feed's contract and the delivery.

    Raises:
        SettingsError: There is no such feed, or *delivery* is no key of its cadence.
    """
    contract = find_contract(settings.contracts_folder, feed)
    return contract, Delivery.parse(contract.cadence, delivery)


@contextmanager
def warehouse_of(settings: Settings, feed: str | None) -> Iterator[psycopg.Connection[Any]]:
    """The warehouse in autocommit, its ledger of a schema version that this code knows.

    Raises:
        LedgerError: It does not answer or went away, said in plain words; or the ledger is of another version.
    """
    silence("psycopg")
    try:
        with psycopg.connect(settings.warehouse_dsn(), autocommit=True, application_name="threegaps") as connection:
            check_connection(connection)
            yield connection
    except psycopg.OperationalError as error:
        parts = settings.warehouse()
        raise LedgerError(
            f"The warehouse at {parts['host']}:{parts['port']} does not answer: {of_warehouse(error)}.",
            feed=feed,
            message_zh=f"数据仓库({parts['host']}:{parts['port']})无法使用。",
            cause="warehouse_down" if is_warehouse_down(error) else None,
            host=parts["host"],
            port=int(parts["port"]),
            advice="see that it is up (`threegaps status`), then run the task again: nothing half-done is kept.",
        ) from None
