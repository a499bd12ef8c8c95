"""Feeds of the stand-in departments whose figures end: paused from the first delivery that nobody will ever send.

Published figures stand in the sandbox up to the last one that was published when it was made, and its days go on.
Owed for ever, they would make every fresh installation critical.
"""

from __future__ import annotations

import psycopg

from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.errors import ContractError
from threegaps.ledger.pauses import pauses
from threegaps.one_machine import departments
from threegaps.settings import Settings
from threegaps.standards.visible import log_of

logger = log_of(__name__)

_DECIDED_BY = "sandbox"


def pause_ended_series(settings: Settings) -> list[str]:
    """Pause what the departments have planned no more of; the feeds. May be repeated: what anybody decided stands.

    Raises:
        LedgerError: The warehouse does not answer.
        ServiceError: The sandbox cannot say what it plans.
    """
    from threegaps import feed_run

    horizon, last_deliveries = departments.last_deliveries(settings)
    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
        decided = {one.feed for one in pauses(connection, county_code="", with_withdrawn=True)}
    paused = []
    for feed, last in last_deliveries.items():
        if feed in decided:
            continue
        try:
            cadence = find_contract(settings.contracts_folder, feed).cadence
        except ContractError as error:
            logger.warning("Whether the feed goes on is not looked at: %s", error)
            continue
        missing = Delivery.parse(cadence, last).next()
        if missing.end > horizon:
            continue
        reason = f"no published figure after {last} is held here 此后没有已公布数据"
        feed_run.decide(feed, "pause", county_code=None, first=missing.start, reason=reason, decided_by=_DECIDED_BY)
        paused.append(feed)
    return paused
