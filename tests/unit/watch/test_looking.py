"""Every kind of incident is looked at by some look: one that is not would open and never close."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from threegaps.labels import FEED_STATES, INCIDENT_KINDS
from threegaps.ledger.attempts import Failing
from threegaps.ledger.expected import QUIET_STATES
from threegaps.ledger.incidents import Cause
from threegaps.settings import SHANGHAI
from threegaps.watch import journal
from threegaps.watch.alerts import parse_alerts
from threegaps.watch.gathering import _STATE_OF_KIND
from threegaps.watch.kinds import KINDS, SETTLING
from threegaps.watch.looking import look
from threegaps.watch.metrics import render
from threegaps.watch.readings import (
    AirflowReading,
    FailedBuild,
    LedgerReading,
    MachineReading,
    OwedFeed,
    ServerReading,
    WarehouseReading,
)
from threegaps.watch.reconciling import Decisions, reconcile
from threegaps.watch.snapshot import Snapshot

NOW = dt.datetime(2026, 7, 21, 10, tzinfo=SHANGHAI)
AROUND = MachineReading(
    warehouse=WarehouseReading("127.0.0.1:5432", answers=True),
    airflow=AirflowReading("http://127.0.0.1:8080", answers=True, seconds=0.1),
    disks=(),
    sandbox=(),
)


def test_every_kind_of_incident_is_looked_at() -> None:
    assert look(AROUND, LedgerReading(judged_at=NOW), NOW).kinds == set(INCIDENT_KINDS)


@pytest.mark.parametrize("name", ["warehouse", "session", "airflow", "disks", "ledger"])
def test_what_was_not_read_says_nothing_of_its_kinds_alone(name: str) -> None:
    silent = WarehouseReading("127.0.0.1:5432", answers=False, said="no answer in time")
    without = {"ledger": {}, "session": {"warehouse": silent}}.get(name, {name: None})
    around = dataclasses.replace(AROUND, **without)
    seen = look(around, None if name == "ledger" else LedgerReading(judged_at=NOW), NOW).kinds
    lacking = {name, "session"} if name == "warehouse" else {name}
    assert seen == {kind for kind, one in KINDS.items() if one.seen_in not in lacking}


def test_a_build_whose_work_a_newer_one_has_in_hand_opens_nothing_and_closes_nothing() -> None:
    for kind in ("build_failed", "release_held"):
        failed = FailedBuild(7, kind == "release_held", "2 models failed", 1, NOW - dt.timedelta(hours=1))
        seen = look(AROUND, LedgerReading(judged_at=NOW, build=failed), NOW)
        incidents = [journal.new_incident(cause, NOW) for cause in seen.causes]
        assert [one.kind for one in incidents] == [kind]
        taken_up = dataclasses.replace(failed, is_taken_up=True)
        unknown = look(AROUND, LedgerReading(judged_at=NOW, build=taken_up), NOW)
        assert unknown.causes == ()
        later = NOW + dt.timedelta(hours=1)
        assert reconcile(incidents, unknown.causes, could_see=unknown.could_see, now=later) == Decisions()
        well = look(AROUND, LedgerReading(judged_at=NOW), NOW)
        assert reconcile(incidents, well.causes, could_see=well.could_see, now=later).closed == tuple(incidents)


def attempt(port: int) -> Failing:
    at = NOW - dt.timedelta(minutes=5)
    return Failing(
        feed="hrss/a",
        step="land",
        delivery="2026-06",
        cause="unreachable",
        connection_id="hrss_sftp",
        host="127.0.0.1",
        port=port,
        message_zh="拒绝",
        message_en="refused",
        failures=3,
        since=at,
        last_at=at,
        last_attempt_id=1,
        is_current=True,
    )


def test_a_sandbox_that_nobody_looked_at_closes_and_opens_nothing() -> None:
    reading = LedgerReading(judged_at=NOW, failed=(attempt(2),))
    silent = dataclasses.replace(AROUND, sandbox=(ServerReading("SFTP", "127.0.0.1:2", answers=False),))
    seen = look(silent, reading, NOW)
    incidents = [journal.new_incident(cause, NOW) for cause in seen.causes]
    assert [one.cause_key for one in incidents] == ["feed_unreachable:sandbox"]
    # While services start it is not asked.
    unread = look(dataclasses.replace(AROUND, sandbox=None), reading, NOW, standing=incidents)
    later = NOW + dt.timedelta(hours=1)
    decisions = reconcile(incidents, unread.causes, could_see=unread.could_see, now=later)
    assert decisions == Decisions()
    # One connection's own incident stays as it is, too; of others all is known.
    own = look(AROUND, reading, NOW).causes
    assert [cause.key for cause in own] == ["feed_unreachable:hrss_sftp"]
    assert not unread.could_see(journal.new_incident(own[0], NOW))
    elsewhere = dataclasses.replace(attempt(2), host="10.1.2.3")
    unread = look(dataclasses.replace(AROUND, sandbox=None), dataclasses.replace(reading, failed=(elsewhere,)), NOW)
    assert [cause.key for cause in unread.causes] == ["feed_unreachable:hrss_sftp"]
    assert unread.could_see(journal.new_incident(own[0], NOW))
    # Where it answers again its incident is over.
    well = look(AROUND, LedgerReading(judged_at=NOW), NOW)
    assert reconcile(incidents, well.causes, could_see=well.could_see, now=later).closed == tuple(incidents)


def test_what_is_late_behind_a_sandbox_that_nobody_looked_at_is_given_time() -> None:
    owed = LedgerReading(judged_at=NOW, owed=(OwedFeed("hrss/a", NOW - dt.timedelta(days=1), missing=("2026-06",)),))
    unread = dataclasses.replace(AROUND, sandbox=None)
    assert [cause.kind for cause in look(unread, owed, NOW).causes] == ["feed_late"]
    sandbox = journal.new_incident(Cause("feed_unreachable", "sandbox", "warning", "", ""), NOW)
    assert look(unread, owed, NOW, standing=[sandbox]).causes == ()


def test_what_is_late_behind_a_dead_connection_opens_nothing_until_it_had_time_to_come() -> None:
    """Through all of a restart: services that start, a first try that goes through, a load that takes its time."""
    owed = (OwedFeed("hrss/a", NOW - dt.timedelta(days=9), missing=("2026-06",)),)
    failed = LedgerReading(judged_at=NOW, failed=(attempt(2),), owed=owed)
    (dead,) = (journal.new_incident(one, NOW) for one in look(AROUND, failed, NOW).causes)
    assert dead.cause_key == "feed_unreachable:hrss_sftp"
    # While services start the sandbox is not asked, and what failed at this machine may be its own.
    assert look(dataclasses.replace(AROUND, sandbox=None), failed, NOW, standing=[dead]).causes == ()
    landed = dataclasses.replace(failed, failed=())
    assert look(AROUND, landed, NOW, standing=[dead]).causes == ()
    closed = dataclasses.replace(landed, just_closed=(dataclasses.replace(dead, closed_at=NOW),))
    assert look(AROUND, closed, NOW + SETTLING - dt.timedelta(seconds=1)).causes == ()
    assert [one.kind for one in look(AROUND, closed, NOW + SETTLING).causes] == ["feed_late"]


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
