"""The first step of a feed run: land what a department offers."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import psycopg

from threegaps.calendar import Delivery, deliveries_between
from threegaps.contracts.model import Contract
from threegaps.errors import ContractError, FeedError, SourceUnavailableError
from threegaps.feed_run.opening import feed_of, warehouse_of
from threegaps.landing.store import Arrival, LandingStore
from threegaps.ledger import batches
from threegaps.ledger.landed import LandedObject, landed_deliveries, latest_arrivals
from threegaps.ledger.watermarks import get_watermark
from threegaps.sources.opening import open_changes, open_files
from threegaps.warehouse.sessions import feed_lock

logger = logging.getLogger(__name__)

_CLOCK = "%Y-%m-%d %H:%M:%S"
# A file whose time is so near to our fetch may have been written again within the same tick of its clock.
_SAME_TICK = dt.timedelta(seconds=2)


def land(feed: str, delivery: str) -> list[int]:
    """Fetch to landing what is offered of *delivery* and of every delivery before it, and has not landed yet.

    Returns:
        The numbers of the new landed objects, in order; none when nothing is new.

    Raises:
        SettingsError: *delivery* is no key of this feed's cadence.
        FeedError: The department's system refuses us, or something that it offers cannot be landed.
        SourceUnavailableError: It does not answer.
    """
    settings, contract, last = feed_of(feed, delivery)
    store = LandingStore(settings.landing_uri)
    with warehouse_of(settings, feed) as connection, feed_lock(connection, feed, step="land"):
        if contract.delivery_kind == "changes":
            landed = _land_changes(connection, store, contract, last)
        else:
            landed = _land_files(connection, store, contract, last)
    if landed:
        size = sum(one.size_bytes for one in landed)
        logger.info("%s: landed %d objects, %d bytes, up to delivery %s.", feed, len(landed), size, last)
    else:
        logger.info("%s: nothing new up to delivery %s.", feed, last)
    return [one.landed_object_id for one in landed]


def _land_changes(
    connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, last: Delivery
) -> list[LandedObject]:
    """One window from the watermark, less the declared overlap, to the end of the delivery's last day."""
    end = dt.datetime.combine(last.next().start, dt.time()).strftime(_CLOCK)
    watermark = get_watermark(connection, contract.feed)
    if watermark is not None and watermark >= end:
        logger.info("%s: everything before %s has been loaded already.", contract.feed, watermark)
        return []
    cut = contract.watermark
    if cut is None:
        raise ContractError("Changes are cut by a watermark, and the contract has none.", feed=contract.feed)
    start = cut.start
    if watermark is not None:
        overlap = dt.timedelta(seconds=cut.overlap_seconds)
        start = (dt.datetime.strptime(watermark, _CLOCK) - overlap).strftime(_CLOCK)  # noqa: DTZ007  # Shanghai clock
    known = latest_arrivals(connection, contract.feed, last.key).values()
    same = [one.landed_object_id for one in known if (one.watermark_from, one.watermark_to) == (start, end)]
    # A window that could not be loaded is fetched again: the department may have mended what was wrong with it.
    if same and not batches.unloadable_object_ids(connection, same):
        logger.info("%s: the window from %s to %s has landed already.", contract.feed, start, end)
        return []
    with open_changes(contract) as source:
        landed = store.land(connection, contract.feed, last.key, source.window(start, end))
    return [] if landed is None else [landed]


def _land_files(
    connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, last: Delivery
) -> list[LandedObject]:
    there = landed_deliveries(connection, contract.feed)
    # Earlier deliveries too: a correction or a part may be put into their folder long after they have landed.
    wanted = list(deliveries_between(contract.cadence, contract.first_delivery, last.key))
    landed: list[LandedObject] = []
    with open_files(contract) as source:
        for delivery in wanted or [last]:
            is_expected = delivery == last or delivery.key not in there
            try:
                offer = source.offer(delivery)
            except SourceUnavailableError:
                raise
            except FeedError as error:
                if is_expected:
                    raise
                logger.warning("%s: delivery %s stays as it is: %s", contract.feed, delivery, error)
                continue
            if is_expected and offer.waiting_for is not None:
                logger.info("%s: delivery %s waits for %s.", contract.feed, delivery, offer.waiting_for)
            known = latest_arrivals(connection, contract.feed, delivery.key)
            for arrival in offer.arrivals:
                if _is_same_file(known.get(arrival.part), arrival):
                    continue
                one = store.land(connection, contract.feed, delivery.key, arrival)
                if one is not None:
                    landed.append(one)
    return landed


def _is_same_file(known: LandedObject | None, arrival: Arrival) -> bool:
    """Whether name, size and time say that a file is the one that we have, so that it need not be fetched again."""
    return (
        known is not None
        and arrival.modified_at is not None
        and known.source_name == arrival.source_name
        and known.size_bytes == arrival.size_bytes
        and known.source_modified_at == arrival.modified_at
        and arrival.modified_at + _SAME_TICK < known.fetched_at
    )
