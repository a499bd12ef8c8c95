"""What every feed owes, entered in the ledger; and the moment by which deliveries are judged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from threegaps.contracts.loader import load_contracts
from threegaps.feed_run.opening import warehouse_of
from threegaps.ledger.expected import sandbox_moment, set_clock
from threegaps.ledger.owing import enter_all
from threegaps.one_machine.environment import sandbox_day
from threegaps.settings import SHANGHAI, Settings


def enter_expected(settings: Settings) -> None:
    """Enter what every feed owes, some months ahead; for `up`, `migrate` and the upkeep, and may be repeated.

    Raises:
        ContractError: A contract cannot be read.
        LedgerError: The warehouse does not answer.
    """
    contracts = load_contracts(settings.contracts_folder)
    with warehouse_of(settings, None) as connection:
        keep_clock(connection, settings)
        enter_all(connection, contracts)


def keep_clock(connection: psycopg.Connection[Any], settings: Settings) -> None:
    """Tell the ledger by which day deliveries are judged: the sandbox's own, or the clock's."""
    set_clock(connection, sandbox_day(settings) if settings.is_sandbox else None)


def judged_at(settings: Settings) -> dt.datetime:
    """The moment by which deliveries are judged: now, or the end of the day that the sandbox's departments are at."""
    return sandbox_moment(sandbox_day(settings)) if settings.is_sandbox else dt.datetime.now(SHANGHAI)
