"""Gathers from the ledger what pages and metrics show, once in a pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.ledger import attempts, expected
from threegaps.ledger.attempts import Failing
from threegaps.ledger.batches import has_originals, pending_batches
from threegaps.ledger.expected import Standing
from threegaps.ledger.incidents import Cause, Incident
from threegaps.settings import SHANGHAI
from threegaps.watch.alerts import Alerts
from threegaps.watch.kinds import command
from threegaps.watch.sending import channels_seen, outbox_seen
from threegaps.watch.snapshot import (
    FEED_STATES,
    ChannelSeen,
    FeedSeen,
    IncidentSeen,
    OutboxSeen,
    Queue,
    ReleaseSeen,
)

REFUSALS_EVERY = dt.timedelta(minutes=10)
"""Refused rows are many: they are counted that often, and not in each pass."""

_STATE_OF_KIND: Mapping[str, str] = {
    "feed_late": "late",
    "feed_incomplete": "incomplete",
    "feed_unreachable": "unreachable",
    "feed_failing": "failing",
    "feed_stopped": "stopped",
    "feed_shrinking": "shrinking",
    "refused_share_rising": "refused_share_rising",
}
_NEWEST = f"""
select f.feed, b.delivery, b.finished_at, b.received, b.refused
from ops.feed as f cross join lateral (
    select b.delivery, b.finished_at, b.received, b.refused from ops.batch as b
    where b.feed = f.feed and b.status = 'loaded' and {has_originals("b")}
    order by b.delivery desc, b.order_number desc, b.batch_id desc limit 1
) as b
"""
_PENDING = "select count(*), min(finished_at) from ops.batch where batch_id = any(%s)"
_RELEASE = "select release_id, released_at from ops.current_release join ops.release using (release_id)"
_REFUSALS = "select feed, count(*) from quarantine.refused_row where closed_by_batch_id is null group by feed"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The parts of a `Snapshot` that only the ledger knows."""

    feeds: tuple[FeedSeen, ...]
    queue: Queue
    release: ReleaseSeen | None
    outbox: OutboxSeen
    channels: tuple[ChannelSeen, ...]


class Gatherer:
    """Gathers, pass after pass."""

    def __init__(self) -> None:
        self._refusals: Mapping[str, int] = {}
        self._counted_at: dt.datetime | None = None

    def gather(
        self, connection: psycopg.Connection[Any], alerts: Alerts, symptoms: Sequence[Cause], now: dt.datetime
    ) -> Gathered:
        """What the ledger says now.

        Args:
            symptoms: All that the pass saw of feeds, what is explained by something else, too.
        """
        pending = pending_batches(connection)
        waiting = connection.execute(_PENDING, [pending]).fetchone()
        release = connection.execute(_RELEASE).fetchone()
        return Gathered(
            feeds=self._feeds(connection, symptoms, now),
            queue=Queue(len(pending), waiting[1] if waiting else None),
            release=None if release is None else ReleaseSeen(int(release[0]), release[1]),
            outbox=outbox_seen(connection, now),
            channels=channels_seen(connection, alerts),
        )

    def _feeds(
        self, connection: psycopg.Connection[Any], symptoms: Sequence[Cause], now: dt.datetime
    ) -> tuple[FeedSeen, ...]:
        if self._counted_at is None or not self._counted_at <= now < self._counted_at + REFUSALS_EVERY:
            self._refusals = {str(feed): int(count) for feed, count in connection.execute(_REFUSALS).fetchall()}
            self._counted_at = now
        newest = {str(row[0]): row[1:] for row in connection.execute(_NEWEST.encode()).fetchall()}
        failing: dict[str, Failing] = {}
        for one in attempts.failing_since(connection):
            failing[one.feed] = one
        return tuple(
            _feed(
                standing,
                newest.get(standing.feed, (None, None, None, None)),
                failing.get(standing.feed),
                [one for one in symptoms if standing.feed in one.feeds],
                self._refusals.get(standing.feed, 0),
            )
            for standing in expected.standing(connection)
        )


def _feed(
    standing: Standing,
    newest: Sequence[Any],
    failing: Failing | None,
    symptoms: Iterable[Cause],
    open_refusals: int,
) -> FeedSeen:
    return FeedSeen(
        feed=standing.feed,
        department=standing.department,
        title_zh=standing.title_zh,
        title_en=standing.title_en,
        states=states(standing, symptoms),
        newest_delivery=newest[0],
        newest_loaded_at=newest[1],
        expected_delivery=standing.delivery,
        due_on=None if standing.due_at is None else standing.due_at.astimezone(SHANGHAI).date(),
        days_late=standing.days_late,
        received_rows=newest[2],
        refused_rows=newest[3],
        open_refusals=open_refusals,
        last_attempt_at=None if failing is None else failing.last_at,
        last_cause=None if failing is None else failing.cause,
        last_words_zh="" if failing is None else failing.message_zh,
        last_words_en="" if failing is None else failing.message_en,
    )


def states(standing: Standing, symptoms: Iterable[Cause]) -> tuple[str, ...]:
    """All ways in which a feed stands, the gravest first: by what is seen of it, as `threegaps status` says it."""
    found = {_STATE_OF_KIND[one.kind] for one in symptoms if one.kind in _STATE_OF_KIND}
    if not found:
        found.add("paused" if standing.paused else "not_due" if standing.delivery is None else "in_time")
    return tuple(state for state in FEED_STATES if state in found)


def incidents_seen(incidents: Iterable[Incident]) -> tuple[IncidentSeen, ...]:
    """Open incidents as pages show them, whether they come from the ledger or from the journal."""
    return tuple(
        IncidentSeen(
            incident_id=one.incident_id or None,
            cause_key=one.cause_key,
            kind=one.kind,
            gravity=one.gravity,
            title_zh=one.title_zh,
            title_en=one.title_en,
            opened_at=one.opened_at,
            detail_zh=one.detail_zh,
            detail_en=one.detail_en,
            feed=one.feed,
            department=one.department,
            acknowledged_by=one.acknowledged_by,
            assigned_to=one.assigned_to,
            indicator_codes=tuple(one.indicator_codes),
            marts=tuple(one.marts),
            command=command(one.kind, one.feed),
        )
        for one in incidents
    )
