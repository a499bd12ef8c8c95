"""How every feed stands: by what it owes, and by what is seen of it, as the watch and `threegaps status` see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.ledger import incidents
from threegaps.ledger.incidents import Incident
from threegaps.watch import journal
from threegaps.watch.gathering import Loaded, feeds_seen, read_loaded
from threegaps.watch.kinds import KINDS
from threegaps.watch.looking import look
from threegaps.watch.reading_ledger import read
from threegaps.watch.readings import LedgerReading, MachineReading
from threegaps.watch.snapshot import FeedSeen

_MOST_DELIVERIES = 3
"""So many deliveries of a feed an incident leads to."""


@dataclass(frozen=True, slots=True)
class FeedsNow:
    """What is known of all feeds.

    Args:
        reading: What was read of the ledger.
        loaded: What has been loaded of each feed.
        incidents: Open ones, the gravest and then the oldest first.
        feeds: How each feed stands, by name.
    """

    reading: LedgerReading
    loaded: Loaded
    incidents: Sequence[Incident]
    feeds: Sequence[FeedSeen]

    def deliveries_of(self, incident: Incident) -> tuple[tuple[str, str], ...]:
        """The deliveries that an incident is about: feed and delivery of each."""
        kind, found = incident.kind, []
        for feed in incident.feeds:
            if kind in {"feed_stopped", "feed_batch_failed"}:
                keys = [one.delivery for one in self.reading.stopped if one.feed == feed]
            elif kind in {"feed_failing", "feed_unreachable"}:
                keys = [one.delivery for one in self.reading.failed if one.feed == feed]
            elif kind in {"feed_late", "feed_incomplete"}:
                keys = [key for one in self.reading.owed if one.feed == feed for key in (*one.missing, *one.partly)]
            elif kind == "feed_rows_gone":
                # Each delivery has its own, which is named behind the feed.
                keys = [incident.cause_key.rpartition(" ")[2]]
            else:
                keys = [str(key) for key in self.loaded.newest.get(feed, (None,))[:1] if key]
            found += [(feed, key) for key in dict.fromkeys(keys[:_MOST_DELIVERIES])]
        return tuple(found)


def read_feeds(connection: psycopg.Connection[Any], now: dt.datetime, *, looks_for_work: bool = False) -> FeedsNow:
    """How every feed stands, at *now*; which counties lack is not read, which work waits where it is asked for."""
    reading = read(connection, names_counties=False, looks_for_work=looks_for_work)
    standing = incidents.open_incidents(connection)
    loaded = read_loaded(connection, now)
    # What the watch has seen of Airflow and the machine stands in its incidents; here the ledger alone is read.
    looked = look(MachineReading(sandbox=()), reading, now, standing=standing)
    # What stands open counts until the watch closes it, as on the first page.
    seen = (*looked.symptoms, *(journal.cause_of(one) for one in standing if one.kind in KINDS))
    return FeedsNow(reading, loaded, standing, feeds_seen(reading, loaded, seen))
