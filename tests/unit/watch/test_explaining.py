"""One cause, one incident, over all layers."""

from __future__ import annotations

import datetime as dt

from threegaps.ledger.incidents import Cause, Gravity, Incident
from threegaps.settings import SHANGHAI
from threegaps.watch import journal
from threegaps.watch.explaining import explained

WAGES, CERTIFICATES = "hrss/wage_records", "hrss/certificates"


def cause(kind: str, about: str = "", *feeds: str, gravity: Gravity = "warning") -> Cause:
    return Cause(kind, about, gravity, f"{kind}的事", f"the {kind} of {about}", "详", "detail", feeds)


def late(feed: str = WAGES, gravity: Gravity = "warning") -> Cause:
    return cause("feed_late", feed, feed, gravity=gravity)


def opened(*causes: Cause) -> list[Incident]:
    return [journal.new_incident(one, dt.datetime(2026, 7, 21, tzinfo=SHANGHAI)) for one in causes]


def keys(*causes: Cause, **options: object) -> set[str]:
    return {one.key for one in explained(causes, **options)}  # type: ignore[arg-type]


def test_a_dead_connection_explains_the_late_and_failing_feeds_behind_it_and_no_other() -> None:
    dead = cause("feed_unreachable", "hrss_sftp", WAGES)
    failing = cause("feed_failing", WAGES, WAGES)
    assert keys(dead, late(), failing) == {dead.key}
    assert keys(dead, late(CERTIFICATES)) == {dead.key, f"feed_late:{CERTIFICATES}"}


def test_what_is_explained_stands_in_the_detail_and_lends_its_gravity() -> None:
    dead = cause("feed_unreachable", "hrss_sftp", WAGES, CERTIFICATES)
    (one,) = explained([dead, late(), late(CERTIFICATES, "critical")])
    assert one.gravity == "critical"
    assert f"the feed_late of {WAGES}" in one.detail_en
    assert f"the feed_late of {CERTIFICATES}" in one.detail_en
    assert one.detail_zh.count("feed_late的事") == 2


def test_a_stopped_batch_explains_that_its_feed_is_late_shrinks_and_fails() -> None:
    stopped = cause("feed_stopped", WAGES, WAGES)
    symptoms = [cause(kind, WAGES, WAGES) for kind in ("feed_shrinking", "refused_share_rising", "feed_failing")]
    assert keys(stopped, late(), *symptoms) == {stopped.key}
    assert keys(stopped, late(CERTIFICATES)) == {stopped.key, f"feed_late:{CERTIFICATES}"}


def test_airflow_down_explains_what_becomes_late_and_waits() -> None:
    down = cause("airflow_down")
    assert keys(down, late(), late(CERTIFICATES), cause("work_waiting")) == {"airflow_down"}
    assert explained([down, late()])[0].detail_en == "detail"


def test_what_is_open_stays_open_until_its_own_cause_is_gone() -> None:
    dead = cause("feed_unreachable", "hrss_sftp", WAGES)
    assert keys(dead, late(), standing=opened(late())) == {dead.key, f"feed_late:{WAGES}"}


def test_an_open_incident_explains_although_its_cause_is_not_seen_just_now() -> None:
    """As while services start, or once the department has let us in and what was missing is being loaded."""
    dead = cause("feed_unreachable", "hrss_sftp", WAGES)
    failing = cause("feed_failing", WAGES, WAGES)
    others = late(CERTIFICATES)
    assert keys(late(), failing, others, standing=opened(dead)) == {others.key}
    assert keys(late(), failing, standing=opened(dead, late())) == {late().key}, "what is open already stays so"
    of_a_newer_version = Cause("feed_unheard_of", WAGES, "warning", "", "", feeds=(WAGES,))
    assert keys(late(), standing=opened(of_a_newer_version)) == {late().key}


def test_what_was_held_up_until_a_moment_ago_is_given_time_and_a_new_fault_is_not() -> None:
    closed = opened(cause("feed_unreachable", "hrss_sftp", WAGES))
    failing = cause("feed_failing", WAGES, WAGES)
    others = late(CERTIFICATES)
    assert keys(late(), others, just_closed=closed) == {others.key}
    assert keys(failing, just_closed=closed) == {failing.key}


def test_a_dead_warehouse_explains_airflow_and_so_does_one_that_has_just_come_back() -> None:
    assert keys(cause("warehouse_down"), cause("airflow_down")) == {"warehouse_down"}
    assert keys(cause("airflow_down"), late(), standing=opened(cause("warehouse_down"))) == set()
    both = opened(cause("warehouse_down"), cause("airflow_down"))
    assert keys(cause("airflow_down"), standing=both) == {"airflow_down"}


def test_while_things_settle_what_is_late_or_waits_is_given_time_and_nothing_else_is() -> None:
    stopped = cause("feed_stopped", CERTIFICATES, CERTIFICATES)
    assert keys(late(), cause("work_waiting"), stopped, is_settling=True) == {stopped.key}
    assert keys(late(), is_settling=True, standing=opened(late())) == {f"feed_late:{WAGES}"}


def test_a_failed_build_explains_that_work_waits() -> None:
    for kind in ("build_failed", "release_held"):
        assert keys(cause(kind), cause("work_waiting")) == {kind}


def test_causes_of_their_own_stand_side_by_side() -> None:
    causes = [cause("disk_filling", "home"), cause("warehouse_down"), cause("feed_stopped", WAGES, WAGES)]
    assert keys(*causes) == {one.key for one in causes}
