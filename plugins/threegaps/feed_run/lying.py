"""What of a feed's deliveries lies there and has not been loaded: in landing, and in the department's folders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.errors import FeedError
from threegaps.feed_run.due import sendings_due
from threegaps.feed_run.landing import is_same_file
from threegaps.feed_run.opening import warehouse_of
from threegaps.ledger.landed import latest_arrivals
from threegaps.settings import Settings
from threegaps.sources.opening import FILE_SOURCES, open_files


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies there of one delivery.

    Args:
        landed: Sendings that have landed and are not loaded.
        corrections: Files of corrections in the department's folder that have not landed.
        parts: Other files there, that are new or not as they were fetched.
    """

    landed: int = 0
    corrections: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found.

    Args:
        deliveries: What lies there, by delivery; those of which nothing does are left out.
        fault: Why the department's folders could not be looked into; None where they could, or where there are none.
    """

    deliveries: Mapping[str, Lying]
    fault: FeedError | None = field(default=None)


def look_for_unloaded(feed: str, keys: Collection[str]) -> Looked:
    """Look what lies there of these deliveries; files are listed, and none is fetched.

    Raises:
        SettingsError: There is no such feed or connection, or one of the keys is no delivery of it.
        LedgerError: The warehouse does not answer.
    """
    settings = Settings.load()
    contract = find_contract(settings.contracts_folder, feed)
    deliveries = sorted(Delivery.parse(contract.cadence, key) for key in keys)
    found: dict[str, Lying] = {}
    fault: FeedError | None = None
    if not deliveries:
        return Looked(found)
    with warehouse_of(settings, feed) as connection:
        landed: dict[str, int] = {}
        for sending in sendings_due(settings, connection, contract, deliveries[-1]):
            landed[sending.delivery.key] = landed.get(sending.delivery.key, 0) + 1
        known = {delivery.key: latest_arrivals(connection, feed, delivery.key) for delivery in deliveries}
    files: dict[str, tuple[int, int]] = {}
    if contract.protocol in FILE_SOURCES:
        try:
            with open_files(contract) as source:
                for delivery in deliveries:
                    arrivals = [
                        arrival
                        for arrival in source.offer(delivery).arrivals
                        if not is_same_file(known[delivery.key].get(arrival.part), arrival)
                    ]
                    corrections = sum(arrival.is_correction for arrival in arrivals)
                    files[delivery.key] = (corrections, len(arrivals) - corrections)
        except FeedError as error:
            fault = error
    for delivery in deliveries:
        corrections, parts = files.get(delivery.key, (0, 0))
        lying = Lying(landed.get(delivery.key, 0), corrections, parts)
        if lying != Lying():
            found[delivery.key] = lying
    return Looked(found, fault)
