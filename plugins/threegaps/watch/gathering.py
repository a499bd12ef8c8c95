"""Gathers from the ledger what pages and metrics show, once in a pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from threegaps.ledger.attempts import Failing
from threegaps.ledger.batches import has_originals, latest_first
from threegaps.ledger.expected import LATE_STATES, QUIET_STATES, Standing
from threegaps.ledger.incidents import Cause, Incident, resolved_by_hand
from threegaps.settings import SHANGHAI
from threegaps.watch.alerts import Alerts
from threegaps.watch.kinds import KINDS, command, runbook
from threegaps.watch.readings import LedgerReading
from threegaps.watch.reconciling import is_answered
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

if TYPE_CHECKING:
    from threegaps.contracts.model import Contract

_STATE_OF_KIND: Mapping[str, str] = {name: kind.feed_state for name, kind in KINDS.items() if kind.feed_state}
_MAY_BE_MEANT = frozenset({"feed_shrinking", "feed_rows_gone", "refused_share_rising"})
"""Kinds of which a person may say that they are meant; the others are facts, whatever is said."""
_NEWEST = f"""
select f.feed, b.delivery, b.finished_at, b.received, b.refused
from ops.feed as f cross join lateral (
    select b.delivery, b.finished_at, b.received, b.refused from ops.batch as b
    where b.feed = f.feed and b.status = 'loaded' and {has_originals("b")}
    order by {latest_first("b")}, b.order_number desc, b.batch_id desc limit 1
) as b
"""
_PENDING = "select count(*), min(finished_at) from ops.batch where batch_id = any(%s)"
_RELEASE = "select release_id, released_at from ops.current_release join ops.release using (release_id)"
_REFUSALS = "select feed, refused_open from ops.feed_totals"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The parts of a `Snapshot` that only the ledger knows."""

    feeds: tuple[FeedSeen, ...]
    queue: Queue
    release: ReleaseSeen | None
    outbox: OutboxSeen
    channels: tuple[ChannelSeen, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is known of feeds besides what a pass reads.

    Args:
        newest: Key, instant of loading, rows received and refused of each feed's newest delivery.
        refusals: Refused rows of each feed that nothing has closed.
        resolved: Incidents that somebody has resolved for a reason, and whose cause is there still.
    """

    newest: Mapping[str, Sequence[Any]]
    refusals: Mapping[str, int]
    resolved: Sequence[Incident] = ()


def gather(
    connection: psycopg.Connection[Any],
    reading: LedgerReading,
    alerts: Alerts,
    symptoms: Sequence[Cause],
    now: dt.datetime,
) -> Gathered:
    """What the ledger says now.

    Args:
        reading: What the pass has read of it.
        symptoms: All that the pass saw of feeds, what is explained by something else, too.
    """
    pending = list(reading.pending)
    waiting = connection.execute(_PENDING, [pending]).fetchone()
    release = connection.execute(_RELEASE).fetchone()
    return Gathered(
        feeds=feeds_seen(reading, read_loaded(connection, now), symptoms),
        queue=Queue(len(pending), waiting[1] if waiting else None),
        release=None if release is None else ReleaseSeen(int(release[0]), release[1]),
        outbox=outbox_seen(connection, now),
        channels=channels_seen(connection, alerts),
    )


def read_loaded(connection: psycopg.Connection[Any], now: dt.datetime) -> Loaded:
    """What has been loaded of each feed, and how many rows are refused: the ledger keeps the number."""
    refusals = {str(feed): int(count) for feed, count in connection.execute(_REFUSALS).fetchall()}
    newest = {str(row[0]): row[1:] for row in connection.execute(_NEWEST.encode()).fetchall()}
    return Loaded(newest, refusals, resolved_by_hand(connection, now))


def feeds_seen(
    reading: LedgerReading, loaded: Loaded, symptoms: Iterable[Cause], contracts: Iterable[Contract] = ()
) -> tuple[FeedSeen, ...]:
    """How every feed stands, by name.

    Args:
        symptoms: All that is seen of feeds, what is explained by something else, too.
        contracts: Those whose feeds are named even where the ledger does not know them yet.
    """
    meant = {one.cause_key: one for one in loaded.resolved if one.kind in _MAY_BE_MEANT}
    symptoms = [one for one in symptoms if one.key not in meant or not is_answered(meant[one.key], one)]
    failing = {one.feed: one for one in reading.failed}
    feeds = {
        standing.feed: _feed(
            standing,
            loaded.newest.get(standing.feed, (None, None, None, None)),
            failing.get(standing.feed),
            [one for one in symptoms if standing.feed in one.feeds],
            loaded.refusals.get(standing.feed, 0),
            reading.attempted.get(standing.feed),
        )
        for standing in reading.standing
    }
    for one in contracts:
        if one.feed not in feeds:
            state = not_entered(is_being_set_up=reading.is_being_set_up)
            department = one.feed.partition("/")[0]
            feeds[one.feed] = FeedSeen(one.feed, department, one.title_zh, one.title_en, (state,))
    return tuple(feeds[name] for name in sorted(feeds))


def not_entered(*, is_being_set_up: bool) -> str:
    """How a feed stands of which the ledger knows nothing yet."""
    return "awaited" if is_being_set_up else "cannot_tell"


def _feed(
    standing: Standing,
    newest: Sequence[Any],
    failing: Failing | None,
    symptoms: Iterable[Cause],
    open_refusals: int,
    attempted_at: dt.datetime | None,
) -> FeedSeen:
    is_late = standing.state in LATE_STATES
    return FeedSeen(
        feed=standing.feed,
        department=standing.department,
        title_zh=standing.title_zh,
        title_en=standing.title_en,
        states=states(standing, symptoms),
        newest_delivery=newest[0],
        newest_loaded_at=newest[1],
        due_delivery=standing.delivery,
        due_on=_day(standing.due_at),
        late_delivery=standing.late[0] if is_late and standing.late else None,
        late_since=_day(standing.late_since) if is_late else None,
        deliveries_late=standing.deliveries_late,
        days_late=standing.days_late,
        counties_missing=len(standing.missing_counties),
        received_rows=newest[2],
        refused_rows=newest[3],
        open_refusals=open_refusals,
        last_attempt_at=attempted_at,
        last_cause=None if failing is None else failing.cause,
        last_words_zh="" if failing is None else failing.message_zh,
        last_words_en="" if failing is None else failing.message_en,
    )


def _day(moment: dt.datetime | None) -> dt.date | None:
    return None if moment is None else moment.astimezone(SHANGHAI).date()


def states(standing: Standing, symptoms: Iterable[Cause]) -> tuple[str, ...]:
    """All ways in which a feed stands, the gravest first: by what it owes, and by what is seen of it.

    Of one cause only what explains is said, as in its incident; what the feed owes it owes all the same.
    """
    kinds = {one.kind for one in symptoms if one.kind in _STATE_OF_KIND}
    explained = {kind for one in kinds for kind in KINDS[one].explains if _STATE_OF_KIND.get(kind) not in LATE_STATES}
    found = {_STATE_OF_KIND[kind] for kind in kinds - explained} | {standing.state}
    grave = found - QUIET_STATES
    return tuple(state for state in FEED_STATES if state in (grave or found))


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
            runbook=runbook(one.kind),
        )
        for one in incidents
    )
