"""Entering in an empty ledger what lies in landing: the first step of building a warehouse anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from threegaps.errors import LedgerError
from threegaps.landing.store import LandingStore
from threegaps.ledger.landed import LandedObject, arrivals_of, landed_objects, record_landed_object, skip_numbers_to

_ADVICE = "build anew into an empty, migrated warehouse, before any feed has landed there."


def examine(
    connection: psycopg.Connection[Any], store: LandingStore, feeds: Iterable[str]
) -> dict[str, list[LandedObject]]:
    """What lies in landing of each feed, in order of arrival, once it is known to be whole and not another ledger's.

    Every file that the ledger does not know is read and compared with its manifest. Nothing is entered, but the ledger
    gives no number any more that an arrival has.

    Args:
        connection: To the warehouse, in autocommit.

    Raises:
        FeedError: Landed bytes or manifests are missing or are not what landed.
        LedgerError: The ledger has other landed objects under the same numbers, the same arrivals under other numbers,
            or arrivals of *feeds* that landing does not have.
    """
    found = {feed: list(store.manifests(feed)) for feed in feeds}
    everything = [landed for of_feed in found.values() for landed in of_feed]
    known = _known(connection, everything)
    for landed in everything:
        entered = known.get(landed.landed_object_id)
        if entered is not None and _identity(entered) != _identity(landed):
            raise LedgerError(
                f"The ledger already has landed object {landed.landed_object_id}, and it is not the one in landing.",
                feed=landed.feed,
                file=landed.source_name,
                advice=_ADVICE,
            )
    for feed, of_feed in found.items():
        _refuse_others(arrivals_of(connection, feed), of_feed)
    for landed in everything:
        if landed.landed_object_id not in known and landed.copies_ended_at is None:
            store.check(landed)
    skip_numbers_to(connection, max((arrival.landed_object_id for arrival in everything), default=0))
    return found


def enter(connection: psycopg.Connection[Any], landed: Iterable[LandedObject]) -> None:
    """Enter examined arrivals in the ledger under the numbers that they had; what is entered already is left alone."""
    wanted = list(landed)
    known = _known(connection, wanted)
    with connection.transaction():
        for arrival in wanted:
            if arrival.landed_object_id not in known:
                record_landed_object(connection, arrival)


def _known(connection: psycopg.Connection[Any], landed: Iterable[LandedObject]) -> dict[int, LandedObject]:
    return {
        arrival.landed_object_id: arrival
        for arrival in landed_objects(connection, [arrival.landed_object_id for arrival in landed])
    }


def _refuse_others(entered: Iterable[LandedObject], lying: Iterable[LandedObject]) -> None:
    there = {_arrival(arrival): arrival for arrival in lying}
    for arrival in entered:
        same = there.get(_arrival(arrival))
        named = f"arrival {arrival.arrival_number} of {arrival.part} of delivery {arrival.delivery}"
        if same is None:
            raise LedgerError(
                f"The ledger has {named}, as landed object {arrival.landed_object_id}, and landing does not.",
                feed=arrival.feed,
                file=arrival.source_name,
                advice=f"put its manifest back in landing if this is its ledger; or {_ADVICE}",
            )
        if same.landed_object_id != arrival.landed_object_id:
            raise LedgerError(
                f"The ledger has {named} as landed object {arrival.landed_object_id}, and landing has it as"
                f" {same.landed_object_id}.",
                feed=arrival.feed,
                file=arrival.source_name,
                advice=_ADVICE,
            )


def _arrival(landed: LandedObject) -> tuple[object, ...]:
    return landed.feed, landed.delivery, landed.part, landed.arrival_number


def _identity(landed: LandedObject) -> tuple[object, ...]:
    return *_arrival(landed), landed.sha256
