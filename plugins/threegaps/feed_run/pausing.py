"""Somebody's word that a feed, or a county of it, reports nothing for a time, or again.

The decision lies in landing, so that a warehouse that is built anew knows what was not owed; the ledger has it too.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, LedgerError
from threegaps.feed_run.decisions import check_words, land_decision
from threegaps.feed_run.expected import keep_clock
from threegaps.feed_run.opening import warehouse_of
from threegaps.landing.store import LandingStore
from threegaps.ledger import pauses
from threegaps.ledger.landed import PAUSE_PREFIX, LandedObject
from threegaps.ledger.owing import enter
from threegaps.settings import Settings
from threegaps.standards.areas import codes_in_force

Action = Literal["pause", "resume", "close", "reopen"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, as it lies in landing.

    Args:
        county_code: Empty for the whole feed.
        first: The first day that is paused or closed, or on which it reports again; ISO.
        last: The last day of a pause; None where it is not known, and of everything else.
        decided_at: ISO, with its offset.
    """

    action: Action
    county_code: str
    first: str
    last: str | None
    reason: str
    decided_by: str
    decided_at: str


def decide(
    feed: str,
    action: Action,
    *,
    county_code: str | None,
    first: dt.date,
    last: dt.date | None = None,
    reason: str,
    decided_by: str,
) -> list[str]:
    """Pause or close a feed or a county of it, or let it report again; the deliveries of which that changes anything.

    Raises:
        ContractError: There is no such feed.
        LedgerError: Nobody or no reason is named, the county owes nothing of its own, or see `threegaps.ledger.pauses`.
    """
    settings = Settings.load()
    contract = find_contract(settings.contracts_folder, feed)
    check_words(feed, {"who decides it": decided_by, "why it is so": reason})
    if county_code is not None:
        _check_county(contract, county_code)
    decision = Decision(
        action=action,
        county_code=county_code or "",
        first=first.isoformat(),
        last=None if last is None else last.isoformat(),
        reason=reason.strip(),
        decided_by=decided_by.strip(),
        decided_at=dt.datetime.now(dt.UTC).isoformat(),
    )
    with warehouse_of(settings, feed) as connection:
        keep_clock(connection, settings)
        enter(connection, contract)
        with connection.transaction():
            changed = _note(connection, feed, decision)
            _land(connection, LandingStore(settings.landing_uri), contract, decision)
    return changed


def note_landed_pauses(
    connection: psycopg.Connection[Any], store: LandingStore, landed: Sequence[LandedObject]
) -> None:
    """Enter in the ledger the decisions among *landed*, in order, as a warehouse that is built anew has to.

    Raises:
        FeedError: One cannot be read.
    """
    for arrival in sorted(landed, key=lambda one: one.landed_object_id):
        if arrival.is_pause and arrival.copies_ended_at is None:
            decision = _read(store, arrival)
            at = dt.datetime.fromisoformat(decision.decided_at)
            if not pauses.is_noted(connection, arrival.feed, decision.county_code, at):
                _note(connection, arrival.feed, decision)


def _check_county(contract: Contract, county_code: str) -> None:
    if contract.owed_by_county is None:
        raise LedgerError(
            f"{contract.feed} is not owed county by county.",
            feed=contract.feed,
            advice="leave --county out; or say customProperties/delivery/owedByCounty in the contract.",
        )
    if county_code not in codes_in_force():
        raise LedgerError(
            "There is no county of this code in force.",
            feed=contract.feed,
            advice="give the six digits of the division, like 330102; marts.dim_area has them all.",
        )


def _note(connection: psycopg.Connection[Any], feed: str, decision: Decision) -> list[str]:
    kind: pauses.PauseKind = "closure" if decision.action in {"close", "reopen"} else "pause"
    first = dt.date.fromisoformat(decision.first)
    said: dict[str, Any] = {
        "reason": decision.reason,
        "by": decision.decided_by,
        "at": dt.datetime.fromisoformat(decision.decided_at),
    }
    if decision.action in {"pause", "close"}:
        last = None if decision.last is None else dt.date.fromisoformat(decision.last)
        return pauses.begin(connection, feed, decision.county_code, kind, first, last, **said)
    return pauses.end(connection, feed, decision.county_code, kind, first, **said)


def _land(connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, decision: Decision) -> None:
    delivery = Delivery.containing(contract.cadence, dt.date.fromisoformat(decision.first)).key
    land_decision(connection, store, contract.feed, delivery, PAUSE_PREFIX, decision)


def _read(store: LandingStore, landed: LandedObject) -> Decision:
    try:
        with store.open(landed) as file:
            decision = Decision(**json.loads(file.read()))
        dt.date.fromisoformat(decision.first)
        dt.datetime.fromisoformat(decision.decided_at)
    except (ValueError, TypeError):
        raise FeedError(
            "The decision to pause a feed cannot be read.",
            feed=landed.feed,
            file=landed.source_name,
            advice="put the file back from a backup of landing.",
        ) from None
    return decision
