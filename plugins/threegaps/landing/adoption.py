"""Entering in an empty ledger what lies in landing: the first step of building a warehouse anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.errors import LedgerError
from threegaps.landing.store import LandingStore
from threegaps.ledger.landed import LandedObject, arrivals_of, landed_objects, record_landed_object, skip_numbers_to

_ADVICE = "build anew into an empty, migrated warehouse, before any feed has landed there."


@dataclass(frozen=True, slots=True)
class Adopted:
    """What lies in landing of one feed.

    Args:
        deliveries: Keys of the deliveries of which bytes lie there, in order.
        arrivals: How many landed objects the ledger now has of them.
        gone: Deliveries of which retention has ended a copy, in order: they cannot be built anew from here.
    """

    feed: str
    deliveries: tuple[str, ...]
    arrivals: int
    gone: tuple[str, ...]


def adopt(connection: psycopg.Connection[Any], store: LandingStore, feeds: Iterable[str]) -> list[Adopted]:
    """Enter all landed objects of *feeds* under the numbers that they had; what is entered already is left alone.

    Every file is read and compared with its manifest first. Copies that retention has ended are not entered: should
    the department still offer them, they land anew.

    Args:
        connection: To the warehouse, in autocommit.

    Raises:
        FeedError: Landed bytes are missing or are not what landed.
        LedgerError: The ledger has other landed objects under the same numbers, the same arrivals under other numbers,
            or arrivals of *feeds* that landing does not have.
    """
    found = {feed: list(store.manifests(feed)) for feed in feeds}
    everything = [landed for of_feed in found.values() for landed in of_feed]
    known = {
        one.landed_object_id: one for one in landed_objects(connection, [one.landed_object_id for one in everything])
    }
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
    with connection.transaction():
        for landed in everything:
            if landed.landed_object_id not in known and landed.copies_ended_at is None:
                record_landed_object(connection, landed)
        skip_numbers_to(connection, max((one.landed_object_id for one in everything), default=0))
    return [_summary(feed, of_feed) for feed, of_feed in found.items()]


def _refuse_others(entered: Iterable[LandedObject], lying: Iterable[LandedObject]) -> None:
    there = {_arrival(one): one for one in lying}
    for one in entered:
        same = there.get(_arrival(one))
        named = f"arrival {one.arrival_number} of {one.part} of delivery {one.delivery}"
        if same is None:
            raise LedgerError(
                f"The ledger has {named}, as landed object {one.landed_object_id}, and landing does not.",
                feed=one.feed,
                file=one.source_name,
                advice=f"put its manifest back in landing if this is its ledger; or {_ADVICE}",
            )
        if same.landed_object_id != one.landed_object_id:
            raise LedgerError(
                f"The ledger has {named} as landed object {one.landed_object_id}, and landing has it as"
                f" {same.landed_object_id}.",
                feed=one.feed,
                file=one.source_name,
                advice=_ADVICE,
            )


def _arrival(landed: LandedObject) -> tuple[object, ...]:
    return landed.feed, landed.delivery, landed.part, landed.arrival_number


def _identity(landed: LandedObject) -> tuple[object, ...]:
    return *_arrival(landed), landed.sha256


def _summary(feed: str, landed: list[LandedObject]) -> Adopted:
    kept = [one for one in landed if one.copies_ended_at is None]
    ended = {one.delivery for one in landed if one.copies_ended_at is not None}
    return Adopted(feed, tuple(sorted({one.delivery for one in kept})), len(kept), tuple(sorted(ended)))
