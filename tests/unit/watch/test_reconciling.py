"""What opens, is told, worsens and closes, and when."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from threegaps.ledger.incidents import Cause, Gravity, Incident
from threegaps.settings import SHANGHAI
from threegaps.watch.journal import new_incident
from threegaps.watch.kinds import QUIET
from threegaps.watch.reconciling import Decisions, is_fading, reconcile

NOW = dt.datetime(2026, 7, 21, 10, 0, tzinfo=SHANGHAI)
SECOND = dt.timedelta(seconds=1)
TOLD_AFTER = 90 * SECOND


def cause(kind: str = "airflow_down", gravity: Gravity = "warning") -> Cause:
    return Cause(kind, "", gravity, "题", "title")


def incident(kind: str = "airflow_down", *, opened: dt.timedelta = 2 * TOLD_AFTER, **changes: Any) -> Incident:
    one = dataclasses.replace(new_incident(cause(kind), NOW - opened), incident_id=1)
    return dataclasses.replace(one, **changes)


def decide(incidents: list[Incident], *causes: Cause, **options: Any) -> Decisions:
    return reconcile(incidents, causes, **{"could_see": lambda one: one.kind == "airflow_down", "now": NOW} | options)


def test_a_new_cause_opens_and_is_not_told_yet() -> None:
    decisions = decide([], cause())
    assert (decisions.opened, decisions.told) == ((cause(),), ())


def test_a_cause_that_is_open_opens_nothing_however_long_nobody_looked() -> None:
    decisions = decide([incident(opened=dt.timedelta(days=3), announced_at=NOW - dt.timedelta(days=3))], cause())
    assert decisions.opened == decisions.told == decisions.closed == ()
    assert len(decisions.seen) == 1


def test_what_is_there_after_ninety_seconds_is_told_once() -> None:
    assert decide([incident(opened=TOLD_AFTER - SECOND)], cause()).told == ()
    assert len(decide([incident(opened=TOLD_AFTER)], cause()).told) == 1
    assert decide([incident(opened=TOLD_AFTER, announced_at=NOW)], cause()).told == ()


def test_what_is_not_there_at_that_moment_is_not_told() -> None:
    assert decide([incident(opened=TOLD_AFTER, last_seen_at=NOW - 30 * SECOND)]).told == ()


def test_it_closes_once_its_cause_has_been_gone_for_a_minute() -> None:
    assert decide([incident(last_seen_at=NOW - QUIET + SECOND)]).closed == ()
    assert len(decide([incident(last_seen_at=NOW - QUIET)]).closed) == 1


def test_some_causes_are_told_and_gone_later() -> None:
    slow = dataclasses.replace(cause("ledger_unreadable"), told_after=dt.timedelta(minutes=10))
    early, late = (incident("ledger_unreadable", opened=dt.timedelta(minutes=minutes)) for minutes in (9.9, 10))
    assert decide([early], slow).told == ()
    assert decide([late], slow).told == ((late, slow),)
    seen_at = [NOW - dt.timedelta(minutes=minutes) for minutes in (4.9, 5)]
    readable = [incident("ledger_unreadable", last_seen_at=at) for at in seen_at]
    assert decide(readable, could_see=lambda _: True).closed == (readable[1],)


def test_what_the_newest_look_did_not_see_fades_until_it_closes() -> None:
    assert is_fading(incident("of_a_newer_version", last_seen_at=NOW - 15 * SECOND), NOW, NOW)
    for ago, compared_ago, fades in (
        (0, 0, False),
        (15, 0, True),
        (15, 15, False),
        (60, 0, False),
        (30, None, False),
        (15, -600, False),
    ):
        compared_at = None if compared_ago is None else NOW - compared_ago * SECOND
        assert is_fading(incident(last_seen_at=NOW - ago * SECOND), compared_at, NOW) is fades, (ago, compared_ago)


def test_what_flickers_is_one_incident() -> None:
    """Seen every other pass for ten minutes: opened once, told once, never closed."""
    open_: list[Incident] = []
    counts = {"opened": 0, "told": 0, "closed": 0}
    for step in range(41):
        now = NOW + step * 15 * SECOND
        seen = [cause()] if step % 2 == 0 else []
        decisions = reconcile(open_, seen, could_see=lambda one: one.kind == "airflow_down", now=now)
        for name in counts:
            counts[name] += len(getattr(decisions, name))
        open_ += [new_incident(one, now) for one in decisions.opened]
        if decisions.seen:
            told = now if decisions.told else open_[0].announced_at
            open_ = [dataclasses.replace(open_[0], last_seen_at=now, announced_at=told)]
    assert counts == {"opened": 1, "told": 1, "closed": 0}


def test_what_could_not_be_looked_at_does_not_close() -> None:
    old = incident(last_seen_at=NOW - dt.timedelta(hours=1))
    assert decide([old], could_see=lambda one: one.kind == "warehouse_down").closed == ()
    assert len(decide([old]).closed) == 1


def test_it_worsens_and_never_gets_better_while_it_is_open() -> None:
    assert len(decide([incident()], cause(gravity="critical")).worsened) == 1
    assert decide([incident(gravity="critical")], cause(gravity="critical")).worsened == ()
    assert decide([incident(gravity="critical")], cause(gravity="warning")).worsened == ()


def test_what_somebody_resolved_stays_closed_while_its_cause_lasts_unless_it_is_graver() -> None:
    resolved = [incident(closed_at=NOW, closed_by="wang", resolution="known")]
    decisions = decide([], cause(), resolved=resolved)
    assert (decisions.opened, len(decisions.muted)) == ((), 1)
    assert len(decide([], cause(gravity="critical"), resolved=resolved).opened) == 1


def test_what_somebody_resolved_opens_again_for_what_he_did_not_know_of() -> None:
    stopped = dataclasses.replace(cause("feed_stopped"), about="hrss/certificates", occasions=("7", "8"))
    resolved = [dataclasses.replace(new_incident(stopped, NOW), closed_at=NOW, closed_by="wang", resolution="known")]
    fewer, another = (dataclasses.replace(stopped, occasions=one) for one in (("8",), ("8", "9")))
    assert decide([], stopped, resolved=resolved).opened == decide([], fewer, resolved=resolved).opened == ()
    assert decide([], another, resolved=resolved).opened == (another,)


def test_what_opened_in_the_future_by_a_clock_that_was_put_back_is_told_and_closed() -> None:
    ahead = incident(opened=-dt.timedelta(days=900))
    assert len(decide([ahead], cause()).told) == 1
    assert decide([ahead]).closed == (ahead,)
    closed = dataclasses.replace(ahead, closed_at=NOW, acknowledged_at=NOW)
    assert (closed.resolution_seconds, closed.response_seconds) == (0, 0)
    # Two clocks that are some seconds apart say nothing of the kind.
    assert decide([incident(opened=-5 * SECOND)], cause()).told == ()
