"""Every kind of incident is looked at by some look: one that is not would open and never close."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from threegaps.labels import FEED_STATES, INCIDENT_KINDS
from threegaps.ledger.expected import QUIET_STATES
from threegaps.settings import SHANGHAI
from threegaps.watch.alerts import parse_alerts
from threegaps.watch.gathering import _STATE_OF_KIND
from threegaps.watch.kinds import KINDS
from threegaps.watch.looking import look
from threegaps.watch.metrics import render
from threegaps.watch.readings import AirflowReading, LedgerReading, MachineReading, WarehouseReading
from threegaps.watch.snapshot import Snapshot

NOW = dt.datetime(2026, 7, 21, 10, tzinfo=SHANGHAI)
AROUND = MachineReading(
    warehouse=WarehouseReading("127.0.0.1:5432", answers=True),
    airflow=AirflowReading("http://127.0.0.1:8080", answers=True, seconds=0.1),
    disks=(),
)


def test_every_kind_of_incident_is_looked_at() -> None:
    assert look(AROUND, LedgerReading(judged_at=NOW), NOW).kinds == set(INCIDENT_KINDS)


@pytest.mark.parametrize("name", ["warehouse", "airflow", "disks", "ledger"])
def test_what_was_not_read_says_nothing_of_its_kinds_alone(name: str) -> None:
    around = dataclasses.replace(AROUND, **({} if name == "ledger" else {name: None}))
    seen = look(around, None if name == "ledger" else LedgerReading(judged_at=NOW), NOW).kinds
    assert seen == {kind for kind, one in KINDS.items() if one.seen_in != name}


def test_all_that_is_told_of_kinds_knows_each() -> None:
    assert list(KINDS) == list(INCIDENT_KINDS)
    snapshot = Snapshot(NOW, 0.1, incidents=())
    for kind, one in KINDS.items():
        assert one.explains <= set(KINDS)
        assert f'threegaps_incidents_open{{kind="{kind}",gravity="critical"}}' in render(snapshot, NOW)
        written = (
            "version: 1\nchannels: {desk: {kind: webhook, url: 'https://a.cn/'}}\n"
            f"routes: [{{channels: [desk], kinds: [{kind}]}}]"
        )
        assert parse_alerts(written, tuple(INCIDENT_KINDS)).routes[0].kinds == (kind,)


def test_no_kind_explains_what_stands_before_it() -> None:
    order = list(KINDS)
    for kind, one in KINDS.items():
        assert all(order.index(explained) > order.index(kind) for explained in one.explains), kind


def test_every_kind_of_a_feed_is_a_state_of_a_feed() -> None:
    of_feeds = {kind for kind in INCIDENT_KINDS if kind.startswith("feed_") or kind == "refused_share_rising"}
    assert set(_STATE_OF_KIND) == of_feeds
    assert set(_STATE_OF_KIND.values()) <= set(FEED_STATES) - QUIET_STATES
