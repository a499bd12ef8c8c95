"""Every kind of incident is looked at by some look: one that is not would open and never close."""

from __future__ import annotations

import datetime as dt

from threegaps.labels import FEED_STATES, INCIDENT_KINDS
from threegaps.ledger.expected import QUIET_STATES
from threegaps.settings import SHANGHAI
from threegaps.watch.gathering import _STATE_OF_KIND
from threegaps.watch.looking import look
from threegaps.watch.readings import AirflowReading, LedgerReading, MachineReading, WarehouseReading

NOW = dt.datetime(2026, 7, 21, 10, tzinfo=SHANGHAI)


def test_every_kind_of_incident_is_looked_at() -> None:
    around = MachineReading(
        warehouse=WarehouseReading("127.0.0.1:5432", answers=True),
        airflow=AirflowReading("http://127.0.0.1:8080", answers=True, seconds=0.1),
        disks=(),
    )
    assert look(around, LedgerReading(judged_at=NOW), NOW).kinds == set(INCIDENT_KINDS)


def test_every_kind_of_a_feed_is_a_state_of_a_feed() -> None:
    of_feeds = {kind for kind in INCIDENT_KINDS if kind.startswith("feed_") or kind == "refused_share_rising"}
    assert set(_STATE_OF_KIND) == of_feeds
    assert set(_STATE_OF_KIND.values()) <= set(FEED_STATES) - QUIET_STATES
