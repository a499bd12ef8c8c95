"""What of a feed's deliveries is not loaded, in landing and in the department's folders; and what has been loaded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from threegaps.calendar import Delivery, of_cadence
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
from threegaps.feed_run.landing import is_same_file
from threegaps.feed_run.opening import warehouse_of
from threegaps.feed_run.sendings import sendings_to_load
from threegaps.ledger.attempts import fetched_up_to
from threegaps.ledger.batches import is_delivery_complete
from threegaps.ledger.landed import latest_arrivals
from threegaps.settings import Settings
from threegaps.sources.opening import FILE_SOURCES, open_files
from threegaps.sources.probing import knock


@dataclass(frozen=True, slots=True)
class Unloaded:
    """What lies there of one delivery.

    Args:
        landed: Sendings that have landed and are not loaded.
        corrections: Files of corrections in the department's folder that have not landed.
        parts: Other files there, that are new or not as they were fetched.
        is_settling: Whether there are files that may still be being written: what they are only a run will see.
    """

    landed: int = 0
    corrections: int = 0
    parts: int = 0
    is_settling: bool = False

    @property
    def count(self) -> int:
        """How many sendings and files are known not to be loaded."""
        return self.landed + self.corrections + self.parts


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found.

    Args:
        deliveries: What lies there, by delivery; those of which nothing does are left out.
        fault: Why the department's folders could not be looked into, or its system lets us not in; None where all went
            well.
        loaded: Deliveries that have been loaded whole, by whichever run.
        fetched: Deliveries up to which some run has fetched what there was.
    """

    deliveries: Mapping[str, Unloaded]
    fault: FeedError | None = field(default=None)
    loaded: frozenset[str] = frozenset()
    fetched: frozenset[str] = frozenset()


def look_for_unloaded(feed: str, keys: Collection[str]) -> Looked:
    """Look what of these deliveries is loaded, and what lies there; files are listed, and nothing is fetched.

    Raises:
        SettingsError: There is no such feed or connection, or one of the keys is no delivery of it.
        LedgerError: The warehouse does not answer.
    """
    settings = Settings.load()
    contract = find_contract(settings.contracts_folder, feed)
    deliveries = sorted(Delivery.parse(contract.cadence, key) for key in keys)
    found: dict[str, Unloaded] = {}
    fault: FeedError | None = None
    if not deliveries:
        return Looked(found)
    with warehouse_of(settings, feed) as connection:
        landed: dict[str, int] = {}
        for sending in sendings_to_load(settings, connection, contract, deliveries[-1]):
            landed[sending.delivery.key] = landed.get(sending.delivery.key, 0) + 1
        loaded = {delivery.key for delivery in deliveries if is_delivery_complete(connection, feed, delivery.key)}
        last = _last_fetched(connection, contract)
        known = {delivery.key: latest_arrivals(connection, feed, delivery.key) for delivery in deliveries}
    files: dict[str, Unloaded] = {}
    try:
        if contract.protocol not in FILE_SOURCES:
            knock(contract)
        else:
            with open_files(contract) as source:
                for delivery in deliveries:
                    offer = source.offer(delivery)
                    arrivals = [
                        arrival
                        for arrival in offer.arrivals
                        if not is_same_file(known[delivery.key].get(arrival.part), arrival)
                    ]
                    corrections = sum(arrival.is_correction for arrival in arrivals)
                    files[delivery.key] = Unloaded(
                        corrections=corrections,
                        parts=len(arrivals) - corrections,
                        is_settling=offer.settles_in is not None,
                    )
    except FeedError as error:
        fault = error
    for delivery in deliveries:
        unloaded = replace(files.get(delivery.key, Unloaded()), landed=landed.get(delivery.key, 0))
        if unloaded != Unloaded():
            found[delivery.key] = unloaded
    fetched = {delivery.key for delivery in deliveries if last is not None and delivery <= last}
    return Looked(found, fault, frozenset(loaded), frozenset(fetched))


def _last_fetched(connection: psycopg.Connection[Any], contract: Contract) -> Delivery | None:
    """The last delivery up to which a run of the feed has fetched what the department had; None before the first."""
    keys = fetched_up_to(connection, contract.feed)
    return max(of_cadence(contract.cadence, keys), default=None)
