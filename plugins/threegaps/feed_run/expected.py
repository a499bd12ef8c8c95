"""What every feed owes, entered in the ledger; and which day's deliveries are judged by there."""

from __future__ import annotations

from typing import Any

import psycopg

from threegaps.contracts.loader import load_readable
from threegaps.feed_run.opening import warehouse_of
from threegaps.home.sandbox_day import sandbox_day
from threegaps.ledger.expected import set_clock
from threegaps.ledger.owing import enter_all
from threegaps.settings import Settings
from threegaps.standards.visible import log_of

logger = log_of(__name__)


def enter_expected(settings: Settings) -> None:
    """Enter what every feed owes, some months ahead; for `up`, `migrate` and the upkeep, and may be repeated.

    Of a feed whose contract cannot be read all stays as it was, and the others are entered: `doctor` says why.

    Raises:
        LedgerError: The warehouse does not answer.
    """
    contracts, unread = load_readable(settings.contracts_folder)
    for error in unread.values():
        logger.warning("What the feed owes stays as it was: %s", error)
    with warehouse_of(settings, None) as connection:
        keep_clock(connection, settings)
        enter_all(connection, contracts, unread=list(unread))


def keep_clock(connection: psycopg.Connection[Any], settings: Settings) -> None:
    """Tell the ledger by which day deliveries are judged: the sandbox's own, or the clock's."""
    set_clock(connection, sandbox_day(settings) if settings.is_sandbox else None)
