"""What is due: the batches that landed deliveries still ask for."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
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
from threegaps.sources.files import announced

logger = logging.getLogger(__name__)


def deliveries_to_load(connection: psycopg.Connection[Any], contract: Contract, last: Delivery) -> list[Delivery]:
    """Deliveries of which something has landed, up to *last*, in order."""
    keys = landed_deliveries(connection, contract.feed)
    found = (Delivery.parse(contract.cadence, key) for key in keys)
    return sorted(one for one in found if one.start <= last.start)


def batches_due(
    settings: Settings, connection: psycopg.Connection[Any], contract: Contract, delivery: Delivery
) -> Iterator[tuple[list[LandedObject], bool]]:
    """The landed objects of each batch that a delivery still asks for, and whether they are the whole delivery."""
    latest = latest_arrivals(connection, contract.feed, delivery.key)
    arrivals = latest.values()
    done = batches.loaded_object_ids(connection, contract.feed, delivery.key)
    said = _said_parts(settings, contract, latest)
    sent = [one for one in arrivals if one.part != CONTROL_PART and not one.is_replay and not _is_surplus(one, said)]
    yield from _sent_work(connection, contract, delivery, sent, done, is_announced=said is not None)
    for one in _in_order([one for one in arrivals if one.is_replay and one.landed_object_id not in done]):
        yield [one], False


def is_complete(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    delivery: Delivery,
    objects: list[LandedObject],
    received: int,
) -> bool:
    """Whether the contract's sign of a complete delivery is there: its file, its window, or what the control says.

    *received* counts the rows of the batch's original parts. Corrections alone leave a delivery as it was.
    """
    if contract.completeness.kind != "control_file":
        return True
    arrivals = latest_arrivals(connection, contract.feed, delivery.key)
    control = arrivals.get(CONTROL_PART)
    is_correcting = all(one.is_correction for one in objects)
    if control is None:
        return False
    if control.copies_ended_at is not None:
        return is_correcting and batches.is_delivery_complete(connection, contract.feed, delivery.key)
    with store.open(control) as file:
        said = announced(file.read())
    parts = sum(
        1
        for part, one in arrivals.items()
        if part != CONTROL_PART and not one.is_correction and not _is_surplus(one, said.get("parts"))
    )
    if "parts" not in said:
        raise FeedError(
            "The control file does not say how many parts there are.",
            feed=contract.feed,
            file=control.source_name,
            advice="ask the department for it again; it looks like parts=3 rows=120000.",
        )
    if is_correcting:
        return parts >= said["parts"] and batches.is_delivery_complete(connection, contract.feed, delivery.key)
    has_all = parts >= said["parts"] and received == said.get("rows", received)
    if not has_all:
        logger.warning(
            "%s %s: %s announces %s; %d parts and %d rows are here.",
            contract.feed,
            delivery,
            control.source_name,
            json.dumps(said),
            parts,
            received,
        )
    return has_all


def _sent_work(
    connection: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    arrivals: list[LandedObject],
    done: set[int],
    *,
    is_announced: bool,
) -> Iterator[tuple[list[LandedObject], bool]]:
    """As `batches_due`, of what the department sent by itself; whether a control file says which parts count."""
    originals = [one for one in arrivals if not one.is_correction]
    new = [one for one in arrivals if one.landed_object_id not in done]
    if contract.delivery_kind == "changes":
        # A window that could not be loaded stands in nobody's way once a later one has all of it.
        overtaken = overtaken_windows(connection, contract.feed, delivery.key)
        unloadable = batches.unloadable_object_ids(connection, list(overtaken))
        if wanted := [one for one in new if one.landed_object_id not in unloadable]:
            yield _in_order(wanted), False
        return
    is_new = any(one.landed_object_id not in done for one in originals)
    if not is_new and is_announced and originals:
        # The department took a part back: what remains has been loaded, but not as the whole delivery.
        last = batches.last_original_ids(connection, contract.feed, delivery.key)
        is_new = last != {one.landed_object_id for one in originals}
    ended = [one for one in originals if one.copies_ended_at is not None]
    if is_new and ended:
        # What was judged before cannot be judged with it again, and nothing may be closed for being out of reach.
        if readable := [one for one in new if one.copies_ended_at is None]:
            logger.warning(
                "%s %s: retention has ended the copies of %s: what came since is loaded by itself, and nothing that it"
                " lacks is closed.",
                contract.feed,
                delivery,
                ", ".join(one.source_name for one in _in_order(ended)),
            )
            yield _in_order(readable), False
    elif is_new:
        # A part that arrived again is judged with its whole delivery: rows may have moved between the parts.
        yield _in_order([*originals, *(one for one in new if one.is_correction)]), True
    elif new:
        yield _in_order(new), False


def _said_parts(settings: Settings, contract: Contract, latest: Mapping[str, LandedObject]) -> int | None:
    """How many parts the control file announces; None where there is none that can still be read."""
    control = latest.get(CONTROL_PART)
    if contract.completeness.kind != "control_file" or control is None or control.copies_ended_at is not None:
        return None
    with LandingStore(settings.landing_uri).open(control) as file:
        return announced(file.read()).get("parts")


def _is_surplus(one: LandedObject, said_parts: int | None) -> bool:
    """Whether this is a part that the control file no longer announces: of a delivery that was sent in more parts."""
    number = one.part.removeprefix("part")
    return said_parts is not None and not one.is_correction and number.isdigit() and int(number) > said_parts


def _in_order(objects: list[LandedObject]) -> list[LandedObject]:
    return sorted(objects, key=lambda one: one.landed_object_id)
