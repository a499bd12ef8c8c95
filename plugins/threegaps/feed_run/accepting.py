"""Somebody's word that a batch which a rule stopped is meant: the same landed objects are then loaded.

The decision lies in landing beside what it accepts, so that a warehouse that is built anew comes to the same rows; the
ledger says who, when and why.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, LedgerError
from threegaps.feed_run.decisions import check_words, land_decision
from threegaps.labels import BATCH_STATUSES, both
from threegaps.landing.store import LandingStore
from threegaps.ledger import decisions
from threegaps.ledger.batches import SHRUNK, Batch, get_batch
from threegaps.ledger.landed import ACCEPTANCE_PREFIX, LandedObject, landed_of_batch, latest_arrivals
from threegaps.standards.visible import log_of

logger = log_of(__name__)
_NEAR_PREVIOUS = "expect_row_count_to_be_near_previous"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A decision as it lies in landing.

    Args:
        landed_object_ids: The parts, and the control file, that are meant as they are.
        rules: The rules that do not stop them any more.
        accepted_at: ISO, with its offset.
    """

    landed_object_ids: tuple[int, ...]
    rules: tuple[str, ...]
    accepted_by: str
    reason: str
    accepted_at: str


def check_acceptance(
    connection: psycopg.Connection[Any], contract: Contract, batch: Batch, *, accepted_by: str, reason: str
) -> list[LandedObject]:
    """What the decision that the stopped *batch* is meant is about: its parts, and the control file.

    Raises:
        LedgerError: It is not stopped, by a rule that looks at how many rows there are; it is no longer what its
            delivery holds; or nobody or no reason is named.
    """
    if batch.status != "stopped":
        raise LedgerError(
            f"Batch {batch.batch_id} is {both(BATCH_STATUSES, batch.status)}: only a stopped batch can be accepted.",
            feed=contract.feed,
            advice="see `threegaps batches --status stopped`.",
        )
    acceptable = acceptable_rules(contract)
    if batch.stop_rule not in acceptable:
        raise LedgerError(
            f"Batch {batch.batch_id} was stopped by {batch.stop_rule}, which nobody can accept.",
            feed=contract.feed,
            advice=f"mend the contract or ask for a new delivery; what can be accepted: {', '.join(acceptable)}.",
        )
    check_words(contract.feed, {"who accepts it": accepted_by, "why it is meant": reason})
    meant = [arrival for arrival in landed_of_batch(connection, batch.batch_id) if not arrival.is_correction]
    arrivals = latest_arrivals(connection, contract.feed, batch.delivery)
    if any(arrivals[arrival.part].landed_object_id != arrival.landed_object_id for arrival in meant):
        raise LedgerError(
            f"Batch {batch.batch_id} is no longer what {batch.delivery} holds: something has arrived since.",
            feed=contract.feed,
            advice="run the feed's load, and look at the batch that it makes.",
        )
    return meant


def land_acceptance(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    batch: Batch,
    *,
    accepted_by: str,
    reason: str,
    accepted_at: dt.datetime | None = None,
) -> LandedObject:
    """Land the decision that the stopped *batch* is meant.

    Args:
        accepted_by: Who says so.
        reason: Why.
        accepted_at: When; by default now.

    Raises:
        LedgerError: See `check_acceptance`.
    """
    meant = check_acceptance(connection, contract, batch, accepted_by=accepted_by, reason=reason)
    decision = Acceptance(
        landed_object_ids=tuple(sorted(arrival.landed_object_id for arrival in meant)),
        rules=(str(batch.stop_rule),),
        accepted_by=accepted_by.strip(),
        reason=reason.strip(),
        accepted_at=(accepted_at or dt.datetime.now(dt.UTC)).isoformat(),
    )
    return land_decision(connection, store, contract.feed, batch.delivery, ACCEPTANCE_PREFIX, decision)


def land_asked(connection: psycopg.Connection[Any], store: LandingStore, contract: Contract) -> None:
    """Land the decisions about the feed's stopped batches that were taken since the last load.

    One that holds no longer is noted with its reason: something may have arrived since. One that a load has landed
    that was cut off then is not landed again.

    Args:
        connection: The warehouse, in autocommit; whose session holds the lock of the feed's loads.
    """
    for asked in decisions.asked_acceptances(connection, contract.feed):
        stopped = get_batch(connection, asked.batch_id)
        why_not = None
        try:
            if stopped.stop_rule != asked.rule:
                raise LedgerError(f"Batch {asked.batch_id} was not stopped by {asked.rule}.", feed=contract.feed)
            if stopped.status != "stopped" or not is_accepted(connection, store, stopped):
                land_acceptance(
                    connection,
                    store,
                    contract,
                    stopped,
                    accepted_by=asked.accepted_by,
                    reason=asked.reason,
                    accepted_at=asked.accepted_at,
                )
        except LedgerError as refusal:
            why_not = refusal.message
            logger.warning("%s: what was said of batch %d holds no longer: %s", contract.feed, asked.batch_id, why_not)
        decisions.note_taken_up(connection, asked, why_not=why_not)


def read_acceptance(store: LandingStore, landed: LandedObject) -> Acceptance:
    """A decision that lies in landing.

    Raises:
        FeedError: It cannot be read.
    """
    try:
        with store.open(landed) as file:
            values = json.loads(file.read())
        numbers = tuple(int(number) for number in values["landed_object_ids"])
        rules = tuple(str(rule) for rule in values["rules"])
        dt.datetime.fromisoformat(values["accepted_at"])
        return Acceptance(numbers, rules, str(values["accepted_by"]), str(values["reason"]), values["accepted_at"])
    except (ValueError, TypeError, KeyError):
        raise FeedError(
            "The decision to accept a batch cannot be read.",
            feed=landed.feed,
            file=landed.source_name,
            advice="put the file back from a backup of landing.",
        ) from None


def accepting_these(
    store: LandingStore, arrivals: Iterable[LandedObject], numbers: Collection[int]
) -> list[LandedObject]:
    """The decisions among *arrivals* that accept just the landed objects with these *numbers*."""
    kept = [arrival for arrival in arrivals if arrival.is_acceptance and arrival.copies_ended_at is None]
    return [arrival for arrival in kept if set(read_acceptance(store, arrival).landed_object_ids) == set(numbers)]


def is_accepted(connection: psycopg.Connection[Any], store: LandingStore, batch: Batch) -> bool:
    """Whether a decision lies in landing that a stopped *batch* is meant, against the rule that stopped it."""
    numbers = [one.landed_object_id for one in landed_of_batch(connection, batch.batch_id) if not one.is_correction]
    arrivals = latest_arrivals(connection, batch.feed, batch.delivery).values()
    return any(
        batch.stop_rule in read_acceptance(store, decision).rules
        for decision in accepting_these(store, arrivals, numbers)
    )


def acceptable_rules(contract: Contract) -> list[str]:
    """The rules of a contract that look at how many rows there are: only of these can somebody say that it is meant."""
    near = (rule.rule for rule in contract.batch_rules if rule.expectation == _NEAR_PREVIOUS and rule.action == "stop")
    return [SHRUNK, *near]
