"""What somebody should look at now: open incidents, feeds that do not stand well, what is out with departments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.duty.reading.names import indicator_names
from threegaps.duty.reading.standing import read_feeds
from threegaps.ledger import incidents, tickets
from threegaps.ledger.expected import QUIET_STATES
from threegaps.ledger.incidents import Incident, IncidentChange
from threegaps.ledger.tickets import Ticket
from threegaps.watch.heartbeat import is_fresh
from threegaps.watch.kinds import KINDS, command
from threegaps.watch.snapshot import FeedSeen

MOST_CLOSED = 50
"""So many closed incidents the page lists."""
MOST_CHANGES = 20
"""So many changes of an incident it lists, the newest."""

_RELEASE = (
    "select r.release_id, r.released_at, r.as_of from ops.current_release as c join ops.release as r using (release_id)"
)
_CLOSED = "select count(*) from ops.incident where closed_at > %s"


@dataclass(frozen=True, slots=True)
class Shown:
    """An open incident with what has happened to it.

    Args:
        changes: The last `MOST_CHANGES`, in order.
        has_earlier: Whether there are earlier ones.
        command: What to type to see more.
        deliveries: Feed and delivery of what it is about.
    """

    incident: Incident
    changes: Sequence[IncidentChange]
    has_earlier: bool
    command: str
    deliveries: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Release:
    """The release that serves."""

    release_id: int
    released_at: dt.datetime
    as_of: dt.date


@dataclass(frozen=True, slots=True)
class Now:
    """All that the first page shows.

    Args:
        judged_at: The moment by which deliveries are judged.
        compared_at: When a watch of this warehouse looked last; None where none ever did.
        is_watched: Whether that was just now.
        open: How many incidents are open.
        incidents: Of those as many as the page lists, the gravest and then the oldest first.
        troubled: Feeds that do not stand well.
        feeds: How many there are.
        tickets: What is out with departments and not settled, the oldest first.
        refused_open: Refused rows that nothing has closed.
        pending: Loaded batches that no release has taken up.
        release: None before the first.
        indicators: Chinese and English name of those that incidents hold up.
        closed: Incidents that closed within the last day.
        closed_last: The last `MOST_CLOSED` of these.
        awaited: Feeds whose first data are awaited.
        titles: Chinese and English title of each feed.
    """

    judged_at: dt.datetime
    compared_at: dt.datetime | None
    is_watched: bool
    open: int
    incidents: Sequence[Shown]
    troubled: Sequence[FeedSeen]
    feeds: int
    tickets: Sequence[Ticket]
    refused_open: int
    pending: int
    release: Release | None
    indicators: dict[str, tuple[str, str]]
    closed: int
    closed_last: Sequence[Incident]
    awaited: int
    titles: dict[str, tuple[str, str]]

    @property
    def state(self) -> str:
        """``critical``, ``warning``, ``awaited`` before the first data or release, or ``fine``, which without a watch
        nothing is."""
        gravities = {one.incident.gravity for one in self.incidents}
        if "critical" in gravities:
            return "critical"
        if gravities or self.troubled or not self.is_watched:
            return "warning"
        return "awaited" if self.awaited or self.release is None else "fine"


def read_now(connection: psycopg.Connection[Any], now: dt.datetime, *, most: int) -> Now:
    """What somebody should look at, at *now*; of open incidents at most *most*."""
    seen = read_feeds(connection, now, looks_for_work=True)
    listed = seen.incidents[:most]
    changes = incidents.newest_changes(connection, [one.incident_id for one in listed], most=MOST_CHANGES + 1)
    compared_at = incidents.compared_at(connection)
    codes = sorted({code for one in listed for code in one.indicator_codes if code})
    named = indicator_names(connection) if codes else {}
    release = connection.execute(_RELEASE).fetchone()
    closed = connection.execute(_CLOSED, [now - dt.timedelta(days=1)]).fetchone()
    return Now(
        judged_at=seen.reading.judged_at,
        compared_at=compared_at,
        is_watched=compared_at is not None and is_fresh(compared_at, now),
        open=len(seen.incidents),
        incidents=[
            Shown(
                one,
                changes[one.incident_id][-MOST_CHANGES:],
                len(changes[one.incident_id]) > MOST_CHANGES,
                # One that another version has entered is shown all the same.
                command(one.kind, one.feed) if one.kind in KINDS else "threegaps incidents",
                seen.deliveries_of(one),
            )
            for one in listed
        ],
        troubled=[one for one in seen.feeds if one.state not in QUIET_STATES],
        feeds=len(seen.feeds),
        tickets=tickets.tickets(connection),
        refused_open=sum(seen.loaded.refusals.values()),
        pending=len(seen.reading.pending),
        release=None if release is None else Release(*release),
        indicators={code: named[code] for code in codes if code in named},
        closed=int(closed[0]) if closed else 0,
        closed_last=incidents.closed_since(connection, now - dt.timedelta(days=1), limit=MOST_CLOSED),
        titles={one.feed: (one.title_zh, one.title_en) for one in seen.feeds},
        awaited=sum(one.state == "awaited" for one in seen.feeds),
    )
