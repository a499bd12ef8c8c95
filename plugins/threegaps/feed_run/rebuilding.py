"""Building the raw tables of an empty warehouse anew from what has landed."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from threegaps.calendar import Delivery, in_order, of_cadence
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, LedgerError
from threegaps.feed_run.loading import load
from threegaps.feed_run.opening import warehouse_of
from threegaps.feed_run.pausing import note_landed_pauses
from threegaps.feed_run.purging import note_landed_purges, purged_objects
from threegaps.landing.adoption import enter, examine
from threegaps.landing.store import LandingStore
from threegaps.ledger.landed import CONTROL_PART, LandedObject
from threegaps.settings import Settings
from threegaps.standards.visible import log_of

logger = log_of(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What one feed came to.

    Args:
        deliveries: How many deliveries have landed objects.
        arrivals: How many landed objects there are of them.
        batch_ids: The batches that were loaded now.
        gone: Deliveries of which retention or a purge has ended copies; only the department can give them again.
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

    Arrivals are entered and loaded in the order in which they came: what was sent again, taken back, mended or could
    not be loaded ends as it did. Cut off, it goes on where it was when it is run again. A feed that stops does not keep
    the others.

    Raises:
        LedgerError: The warehouse has served a release, or its ledger has landed objects of another landing.
        FeedError: Landed bytes are missing or are not what landed; nothing has been entered then.
    """
    settings = Settings.load()
    contracts = {contract.feed: contract for contract in load_contracts(settings.contracts_folder)}
    with warehouse_of(settings, None) as connection:
        if connection.execute("select 1 from ops.build where status = 'released' limit 1").fetchone():
            raise LedgerError(
                "This warehouse has released figures: it is not overwritten.",
                advice="point the settings at an empty warehouse, run `threegaps migrate`, then this again.",
            )
        lying = examine(connection, LandingStore(settings.landing_uri), contracts)
    for feed, landed in lying.items():
        yield _rebuild_feed(settings, contracts[feed], landed)


def _rebuild_feed(settings: Settings, contract: Contract, landed: list[LandedObject]) -> Rebuilt:
    gone = tuple(in_order({arrival.delivery for arrival in landed if arrival.copies_ended_at is not None}))
    if gone:
        logger.warning("%s: retention or a purge has ended copies of %s.", contract.feed, ", ".join(gone))
    store = LandingStore(settings.landing_uri)
    entered = [*_to_enter(contract, landed, purged_objects(store, landed))]
    kept = [arrival for arrival in entered if arrival.copies_ended_at is None]
    loaded: list[int] = []
    newest: Delivery | None = None
    error: str | None = None
    for arrived in _in_steps(entered):
        with warehouse_of(settings, contract.feed) as connection:
            enter(connection, arrived)
        # A load takes deliveries of the present cadence only: what came under another stands in the ledger, not loaded.
        newest = max(
            [*of_cadence(contract.cadence, (one.delivery for one in arrived)), *([newest] if newest else [])],
            default=None,
        )
        if newest is None:
            continue
        try:
            loaded += load(contract.feed, newest.key)
            error = None
        except FeedError as stopped:
            error = str(stopped)
    with warehouse_of(settings, contract.feed) as connection:
        note_landed_purges(connection, store, kept)
        note_landed_pauses(connection, store, kept)
    deliveries = len({arrival.delivery for arrival in kept if not arrival.is_pause})
    return Rebuilt(contract.feed, deliveries, len(kept), tuple(loaded), gone, error)


def _to_enter(contract: Contract, landed: list[LandedObject], purged: Collection[int]) -> Iterator[LandedObject]:
    """What the ledger has to know again: what can be loaded, and what was purged, so that nobody fetches it anew.

    Of a part whose later arrival is gone no earlier one is taken: it would say again what that had replaced.
    """
    ended = {
        (arrival.delivery, arrival.part): arrival.arrival_number
        for arrival in landed
        if arrival.copies_ended_at is not None
    }
    for arrival in landed:
        is_outdated = contract.delivery_kind != "changes" and arrival.arrival_number < ended.get(
            (arrival.delivery, arrival.part), 0
        )
        if arrival.landed_object_id in purged or (arrival.copies_ended_at is None and not is_outdated):
            yield arrival


def _in_steps(landed: Iterable[LandedObject]) -> Iterator[list[LandedObject]]:
    """Arrivals that may be entered at once, as a load takes them in their order and of each part the last one.

    A step ends where an earlier delivery comes again, or a part, or a repair; so too behind a control file, with which
    a sending ends, and before an acceptance, which speaks of what has been judged.
    """
    step: list[LandedObject] = []
    for delivery, group in itertools.groupby(landed, key=lambda arrival: arrival.delivery):
        if step and Delivery.of_key(delivery).place <= Delivery.of_key(step[-1].delivery).place:
            yield step
            step = []
        parts: set[str] = set()
        for arrival in group:
            is_of_next_sending = CONTROL_PART in parts and not arrival.is_correction
            if arrival.part in parts or is_of_next_sending or _is_alone(arrival) or (step and _is_alone(step[-1])):
                if step:
                    yield step
                step, parts = [], set()
            step.append(arrival)
            parts.add(arrival.part)
    if step:
        yield step


def _is_alone(arrival: LandedObject) -> bool:
    return arrival.is_replay or arrival.is_acceptance
