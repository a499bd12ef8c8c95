"""Building the raw tables of an empty warehouse anew from what has landed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from threegaps.calendar import Delivery
from threegaps.contracts.loader import load_contracts
from threegaps.errors import FeedError, LedgerError
from threegaps.feed_run.loading import load
from threegaps.feed_run.opening import warehouse_of
from threegaps.landing.adoption import adopt
from threegaps.landing.store import LandingStore
from threegaps.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What one feed came to.

    Args:
        deliveries: How many deliveries have landed objects.
        batch_ids: The batches that were loaded now.
        gone: Deliveries of which retention has ended copies; only the department can give them again.
        error: What its loading ended with before the newest delivery, with what to do; None where all is loaded.
    """

    feed: str
    deliveries: int
    arrivals: int
    batch_ids: tuple[int, ...]
    gone: tuple[str, ...]
    error: str | None


def rebuild() -> Iterator[Rebuilt]:
    """Enter what lies in landing in the ledger and load all of it, feed by feed, by the contracts and key of now.

    Cut off, it goes on where it was when it is run again. A feed that stops does not keep the others.

    Raises:
        LedgerError: The warehouse has served a release, or its ledger has landed objects of another landing.
        FeedError: Landed bytes are missing or are not what landed; nothing has been entered then.
    """
    settings = Settings.load()
    contracts = {contract.feed: contract for contract in load_contracts(settings.contracts_folder)}
    with warehouse_of(settings, None) as connection:
        if connection.execute("select 1 from ops.build where status = 'released' limit 1").fetchone():
            raise LedgerError(
                "This warehouse has released figures: what it holds is not built anew in its place.",
                advice="point the settings at an empty warehouse, run `threegaps migrate`, then this again.",
            )
        found = adopt(connection, LandingStore(settings.landing_uri), contracts)
    for one in found:
        if one.gone:
            logger.warning("%s: retention has ended copies of %s.", one.feed, ", ".join(one.gone))
        newest = max(
            (Delivery.parse(contracts[one.feed].cadence, key) for key in one.deliveries),
            default=None,
        )
        loaded, error = [], None
        try:
            loaded = [] if newest is None else load(one.feed, newest.key)
        except FeedError as stopped:
            error = str(stopped)
        yield Rebuilt(one.feed, len(one.deliveries), one.arrivals, tuple(loaded), one.gone, error)
