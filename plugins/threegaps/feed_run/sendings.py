"""Sendings: what landed is judged as one batch, and which of it is still to be loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.calendar import Delivery, of_cadence
from threegaps.contracts.model import Contract
from threegaps.contracts.options.deliveries import QuietFiles
from threegaps.feed_run.accepting import accepting_these
from threegaps.landing.store import LandingStore
from threegaps.ledger import batches
from threegaps.ledger.landed import (
    CONTROL_PART,
    LandedObject,
    landed_deliveries,
    latest_arrivals,
    overtaken_windows,
)
from threegaps.settings import Settings
from threegaps.sources.control_file import understood
from threegaps.sources.names import expected_parts
from threegaps.standards.visible import log_of

logger = log_of(__name__)


@dataclass(frozen=True, slots=True)
class LandedSending:
    """What is judged as one batch.

    Args:
        objects: Its landed objects, in order; of a whole delivery its control file too, and the word of whoever
            accepted it.
        is_whole: They are every original part of the delivery.
    """

    delivery: Delivery
    objects: list[LandedObject]
    is_whole: bool

    @property
    def arrival_number(self) -> int:
        """The number of the landed object with which it came to its end."""
        return max(landed.landed_object_id for landed in self.objects if not landed.is_acceptance)


def sendings_to_load(
    settings: Settings, connection: psycopg.Connection[Any], contract: Contract, last: Delivery
) -> list[LandedSending]:
    """What of deliveries up to *last* is still to be loaded, in the order of arrival.

    A correction is a sending of its own. A control file that comes late, or is mended alone, makes another one of the
    same parts. What landed under another cadence was judged by the contract of its time, and is left as it is.
    """
    deliveries = of_cadence(contract.cadence, landed_deliveries(connection, contract.feed))
    found = [
        LandedSending(delivery, objects, is_whole)
        for delivery in deliveries
        if delivery.start <= last.start
        for objects, is_whole in _to_load_of(settings, connection, contract, delivery)
    ]
    return sorted(found, key=lambda sending: sending.arrival_number)


def _to_load_of(
    settings: Settings, connection: psycopg.Connection[Any], contract: Contract, delivery: Delivery
) -> Iterator[tuple[list[LandedObject], bool]]:
    arrivals = latest_arrivals(connection, contract.feed, delivery.key)
    judged = [arrival for arrival in arrivals.values() if arrival.is_judged]
    readable = [arrival for arrival in judged if arrival.copies_ended_at is None]
    loaded = batches.loaded_object_ids(connection, contract.feed, delivery.key)
    if contract.delivery_kind == "changes":
        windows = [arrival for arrival in readable if not arrival.is_replay]
        yield from _windows_to_load(connection, contract, delivery, windows, loaded)
    else:
        store = LandingStore(settings.landing_uri)
        sent = [arrival for arrival in judged if not arrival.is_replay]
        yield from _files_to_load(connection, store, contract, delivery, arrivals, sent, loaded)
    for arrival in readable:
        if arrival.is_replay and arrival.landed_object_id not in loaded:
            yield [arrival], False


def is_complete(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    delivery: Delivery,
    objects: list[LandedObject],
    received: int,
) -> bool:
    """Whether the delivery has the contract's sign of a complete one: its files, its window, or what the control says.

    Args:
        objects: What the batch has, its control file among them.
        received: The rows of its original parts. Corrections alone leave a delivery as it was.
    """
    originals = [arrival for arrival in objects if arrival.is_judged and not arrival.is_correction]
    if isinstance(contract.completeness, QuietFiles):
        missing = set(expected_parts(contract.completeness)) - {arrival.part for arrival in originals}
        return not missing if originals else batches.is_delivery_complete(connection, contract.feed, delivery.key)
    if contract.completeness.kind != "control_file":
        return True
    control = next((arrival for arrival in objects if arrival.part == CONTROL_PART), None)
    was_complete = batches.is_delivery_complete(connection, contract.feed, delivery.key)
    if not originals:
        return was_complete
    if control is None:
        return False
    if control.copies_ended_at is not None:
        # It cannot be read again: what it was complete with before is so still, of anything else nothing is known.
        known = batches.last_whole_object_ids(connection, contract.feed, delivery.key)
        return was_complete and known == {arrival.landed_object_id for arrival in (*originals, control)}
    with store.open(control) as file:
        said = understood(contract, control.source_name, file.read())
    has_all = len(originals) >= said.parts and said.rows in {received, None}
    if not has_all:
        logger.warning(
            "%s %s: %s announces %d parts and %s rows; %d parts and %d rows have come.",
            contract.feed,
            delivery,
            control.source_name,
            said.parts,
            "no number of" if said.rows is None else said.rows,
            len(originals),
            received,
        )
    return has_all


def _windows_to_load(
    connection: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    windows: list[LandedObject],
    loaded: set[int],
) -> Iterator[tuple[list[LandedObject], bool]]:
    # A window that could not be loaded stands in nobody's way once a later one has all of it.
    overtaken = overtaken_windows(connection, contract.feed, delivery.key)
    done = loaded | batches.unloadable_object_ids(connection, list(overtaken))
    wanted = [arrival for arrival in windows if arrival.landed_object_id not in done]
    # Rows that no window holds are judged by themselves: their refusals are no share of the window's.
    for some in (
        [arrival for arrival in wanted if arrival.is_outside],
        [arrival for arrival in wanted if not arrival.is_outside],
    ):
        if some:
            yield _in_order(some), False


def _files_to_load(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    delivery: Delivery,
    arrivals: Mapping[str, LandedObject],
    sent: list[LandedObject],
    loaded: set[int],
) -> Iterator[tuple[list[LandedObject], bool]]:
    control = arrivals.get(CONTROL_PART) if contract.completeness.kind == "control_file" else None
    parts = [arrival for arrival in sent if not arrival.is_correction]
    if control is not None:
        parts = _without_surplus(store, contract, control, parts)
    new = [arrival for arrival in sent if arrival.landed_object_id not in loaded and arrival.copies_ended_at is None]
    whole = [*parts, *([] if control is None else [control])]
    numbers = {arrival.landed_object_id for arrival in whole}
    # By themselves: that one sending is replaced, or stops, must not decide about another.
    yield from (([arrival], False) for arrival in new if arrival.is_correction)
    has_changed = bool(parts) and numbers != batches.last_whole_object_ids(connection, contract.feed, delivery.key)
    ended = [arrival for arrival in parts if arrival.copies_ended_at is not None]
    if has_changed and not ended:
        # A part that arrived again is judged with its whole delivery: rows may have moved between the parts.
        yield _in_order([*whole, *accepting_these(store, arrivals.values(), numbers)]), True
    elif has_changed and (alone := [arrival for arrival in parts if arrival in new]):
        # What was judged before cannot be judged with it again, and nothing may be closed for being out of reach.
        logger.warning(
            "%s %s: retention or a purge has ended the copies of %s: what came since is loaded by itself, and"
            " nothing that it lacks is closed.",
            contract.feed,
            delivery,
            ", ".join(arrival.source_name for arrival in _in_order(ended)),
        )
        yield _in_order(alone), False


def _without_surplus(
    store: LandingStore, contract: Contract, control: LandedObject, parts: list[LandedObject]
) -> list[LandedObject]:
    """The parts that the control file still announces; others are of a delivery that was sent in more parts."""
    if control.copies_ended_at is not None:
        return parts
    with store.open(control) as file:
        announced_parts = understood(contract, control.source_name, file.read()).parts
    numbers = {arrival.part: arrival.part.removeprefix("part") for arrival in parts}
    return [
        arrival
        for arrival in parts
        if not numbers[arrival.part].isdigit() or int(numbers[arrival.part]) <= announced_parts
    ]


def _in_order(objects: Iterable[LandedObject]) -> list[LandedObject]:
    return sorted(objects, key=lambda arrival: arrival.landed_object_id)
