"""The first step of a feed run: land what a department offers."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from dataclasses import replace
from typing import Any

import psycopg

from threegaps.calendar import Delivery, deliveries_between, in_order
from threegaps.contracts.model import Contract
from threegaps.errors import ContractError, FeedError, SourceUnavailableError, StillBeingWrittenError
from threegaps.feed_run.attempting import Run, attempt
from threegaps.feed_run.opening import feed_of, warehouse_of
from threegaps.landing.store import Arrival, LandingStore
from threegaps.ledger import batches
from threegaps.ledger.landed import OUTSIDE_PART, LandedObject, landed_deliveries, last_arrival, latest_arrivals
from threegaps.ledger.watermarks import get_watermark, read_since
from threegaps.settings import Settings
from threegaps.sources.model import FileSource, Offer
from threegaps.sources.opening import INQUIRY_SOURCES, open_files, open_inquiry
from threegaps.sources.probing import knock
from threegaps.sources.retry import Retry
from threegaps.standards.visible import log_of
from threegaps.warehouse.sessions import feed_lock

logger = log_of(__name__)

_CLOCK = "%Y-%m-%d %H:%M:%S"
# A file whose time is so near to our fetch may have been written again within the same tick of its clock.
_SAME_TICK = dt.timedelta(seconds=2)
# A task looks again by itself where that takes less than a wait in Airflow; else it comes again later.
_LOOKS = 3
_LONGEST_WAIT_SECONDS = 120.0
_MARGIN_SECONDS = 0.5


def land(feed: str, delivery: str, run: Run | None = None) -> list[int]:
    """Fetch to landing what is offered of *delivery* and of every delivery before it, and has not landed yet.

    Args:
        run: The run of Airflow that it belongs to, for the ledger's entry of the attempt.

    Returns:
        The numbers of the new landed objects, in order; none when nothing is new.

    Raises:
        SettingsError: *delivery* is no key of this feed's cadence.
        FeedError: The department's system refuses us, or something that it offers cannot be landed.
        SourceUnavailableError: It does not answer.
        StillBeingWrittenError: A file may still be being written; everything else has landed.
    """
    settings = Settings.load()
    with (
        warehouse_of(settings, feed) as connection,
        feed_lock(connection, feed, step="land"),
        attempt(settings, connection, feed, "land", delivery, run),
    ):
        contract, last = feed_of(settings, feed, delivery)
        store = LandingStore(settings.landing_uri)
        if contract.delivery_kind == "changes":
            landed = _land_changes(connection, store, contract, last)
        elif contract.protocol in INQUIRY_SOURCES:
            landed = _land_list(connection, store, contract, last)
        else:
            landed = _land_files(connection, store, contract, last)
    for received in landed:
        logger.info(
            "%s %s: landed object %d is %s, %d bytes.",
            feed,
            received.delivery,
            received.landed_object_id,
            received.source_name,
            received.size_bytes,
        )
    if landed:
        size = sum(received.size_bytes for received in landed)
        logger.info("%s: landed %d objects, %d bytes, up to delivery %s.", feed, len(landed), size, last)
    else:
        logger.info("%s: nothing new up to delivery %s.", feed, last)
    return [received.landed_object_id for received in landed]


def _land_changes(
    connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, last: Delivery
) -> list[LandedObject]:
    """One window from the watermark, less the declared overlap, to the end of the delivery's last day.

    Where the contract begins earlier than anything that was loaded, the window begins there, and holds all again.
    """
    end = dt.datetime.combine(last.next().start, dt.time()).strftime(_CLOCK)
    watermark = get_watermark(connection, contract.feed)
    cut = contract.watermark
    if cut is None:
        raise ContractError("Changes are cut by a watermark, and the contract has none.", feed=contract.feed)
    begun = read_since(connection, contract.feed)
    is_moved_back = begun is not None and cut.start < begun
    if watermark is not None and watermark >= end and not is_moved_back:
        logger.info("%s: everything before %s has been loaded already.", contract.feed, watermark)
        return _nothing_to_ask_for(contract)
    start = cut.start
    if watermark is not None and not is_moved_back:
        overlap = dt.timedelta(seconds=cut.overlap_seconds)
        start = (dt.datetime.strptime(watermark, _CLOCK) - overlap).strftime(_CLOCK)  # noqa: DTZ007  # Shanghai clock
    known = latest_arrivals(connection, contract.feed, last.key).values()
    same = [
        received.landed_object_id
        for received in known
        if (received.watermark_from, received.watermark_to) == (start, end)
    ]
    # A window that could not be loaded is fetched again: the department may have mended what was wrong with it.
    if same and not batches.unloadable_object_ids(connection, same):
        logger.info("%s: the window from %s to %s has landed already.", contract.feed, start, end)
        return _nothing_to_ask_for(contract)
    landed = []
    with open_inquiry(contract) as source:
        # The window last: a landing that is cut off before it begins again.
        for offered in source.window(start, end):
            is_outside = offered.part == OUTSIDE_PART
            arrival = _unless_known(connection, contract, offered) if is_outside else offered
            landed.append(None if arrival is None else store.land(connection, contract.feed, last.key, arrival))
    return [received for received in landed if received is not None]


def _nothing_to_ask_for(contract: Contract) -> list[LandedObject]:
    """Nothing, where the department's system lets us in: that there is nothing new nobody may say who was shut out.

    Raises:
        FeedError: It refuses us.
        SourceUnavailableError: It does not answer.
    """
    knock(contract, Retry())
    return []


def _unless_known(connection: psycopg.Connection[Any], contract: Contract, outside: Arrival) -> Arrival | None:
    """The rows that no window holds; None where they are those that landed last: they have been refused already."""
    content = b"".join(outside.chunks())
    known = last_arrival(connection, contract.feed, OUTSIDE_PART)
    if known is not None and known.sha256 == hashlib.sha256(content).hexdigest():
        return None
    logger.warning(
        "%s: the department's table holds rows that no window can hold (see the rule %s_reach in quarantine).",
        contract.feed,
        contract.watermark.column if contract.watermark else "",
    )
    return replace(outside, chunks=lambda: [content])


def _land_list(
    connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, last: Delivery
) -> list[LandedObject]:
    """The full list as it stands now, which is that of the last delivery: an earlier one can no longer be had."""
    landed_already = landed_deliveries(connection, contract.feed)
    later = in_order(key for key in landed_already if Delivery.of_key(key).place > last.place)
    if later:
        logger.warning(
            "%s: the list is kept as it stands, and has landed for %s already: that of %s can no longer be had.",
            contract.feed,
            later[-1],
            last,
        )
        return _nothing_to_ask_for(contract)
    with open_inquiry(contract) as source:
        found = [store.land(connection, contract.feed, last.key, arrival) for arrival in source.everything()]
    return [received for received in found if received is not None]


def _land_files(
    connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, last: Delivery
) -> list[LandedObject]:
    """What lies in the folders of every delivery, once it has been left alone.

    Raises:
        StillBeingWrittenError: Something has not been, and is to be looked at again soon; the rest has landed.
    """
    known = landed_deliveries(connection, contract.feed)
    # Earlier deliveries too: a correction or a part may be put into their folder long after they have landed.
    wanted = list(deliveries_between(contract.cadence, contract.first_delivery, last.key)) or [last]
    landed: list[LandedObject] = []
    with open_files(contract) as source:
        expected = {delivery for delivery in wanted if delivery == last or delivery.key not in known}
        for look in range(_LOOKS):
            unsettled: dict[Delivery, float] = {}
            for delivery in wanted:
                offer = _offer(source, contract, delivery, is_expected=delivery in expected)
                if offer.settles_in is not None:
                    unsettled[delivery] = offer.settles_in
                arrivals = latest_arrivals(connection, contract.feed, delivery.key)
                for arrival in offer.arrivals:
                    if is_same_file(arrivals.get(arrival.part), arrival):
                        continue
                    try:
                        received = store.land(connection, contract.feed, delivery.key, arrival)
                    except StillBeingWrittenError as error:
                        logger.info("%s", error)
                        unsettled[delivery] = _LONGEST_WAIT_SECONDS
                        continue
                    if received is not None:
                        landed.append(received)
            wanted = list(unsettled)
            if not wanted:
                return landed
            wait = max(unsettled.values())
            if look + 1 == _LOOKS or wait > _LONGEST_WAIT_SECONDS:
                break
            logger.info("%s: files may still be being written; looking again in %.0f s.", contract.feed, wait)
            time.sleep(wait + _MARGIN_SECONDS)
            source.look_again()
    raise StillBeingWrittenError(
        f"Files of {', '.join(map(str, wanted))} have not been left alone for the declared time.",
        feed=contract.feed,
        advice="it is looked at again by itself in some minutes; what else was there has landed.",
    )


def _offer(source: FileSource, contract: Contract, delivery: Delivery, *, is_expected: bool) -> Offer:
    """What is offered of a delivery; nothing of one that has landed already and in whose folder something is wrong."""
    try:
        offer = source.offer(delivery)
    except SourceUnavailableError:
        raise
    except FeedError as error:
        if is_expected:
            raise
        logger.warning("%s: delivery %s stays as it is: %s", contract.feed, delivery, error)
        return Offer([])
    if is_expected and offer.waiting_for is not None:
        logger.info("%s: delivery %s waits for %s.", contract.feed, delivery, offer.waiting_for)
    return offer


def is_same_file(known: LandedObject | None, arrival: Arrival) -> bool:
    """Whether name, size and time say that a file is the one that we have, so that it need not be fetched again."""
    return (
        known is not None
        and arrival.modified_at is not None
        and known.source_name == arrival.source_name
        and known.size_bytes == arrival.size_bytes
        and known.source_modified_at == arrival.modified_at
        and arrival.modified_at + _SAME_TICK < known.fetched_at
    )
