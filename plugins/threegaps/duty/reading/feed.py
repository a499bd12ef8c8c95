"""One feed: how it stands, what it has sent, what of that is refused and waits, and how it was tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.duty.reading.grid import Square, squares
from threegaps.duty.reading.past import Past, read_past
from threegaps.duty.reading.standing import read_feeds
from threegaps.ledger import attempts, tickets
from threegaps.ledger.attempts import Attempt, Failing
from threegaps.ledger.expected import Standing
from threegaps.ledger.tickets import Ticket
from threegaps.warehouse.quarantine import RefusedByRule, refused_by_rule

_MOST_ATTEMPTS = 12
_OPEN = "select refused_open from ops.feed_totals where feed = %s"


@dataclass(frozen=True, slots=True)
class FeedPage:
    """All that a feed's page shows of the ledger.

    Args:
        standing: How it stands by what it owes; None where nothing was entered of it yet.
        states: All ways in which it stands, the gravest first.
        failing: Its steps whose latest attempts all failed.
        squares: Its last deliveries, the oldest first.
        refused: What is refused and waits, by rule.
        refused_open: How many rows that are.
        tickets: What is out with its department and not settled, the oldest first.
        attempts: The latest ones, the newest first.
    """

    standing: Standing | None
    states: Sequence[str]
    failing: Sequence[Failing]
    squares: Sequence[Square]
    past: Past
    refused: Sequence[RefusedByRule]
    refused_open: int
    tickets: Sequence[Ticket]
    attempts: Sequence[Attempt]


def read_feed(
    connection: psycopg.Connection[Any],
    feed: str,
    now: dt.datetime,
    *,
    cadence: str,
    kind: str,
    most_rules: int | None = None,
) -> FeedPage:
    """What is known of a feed.

    Args:
        cadence: How often it comes, as its contract says.
        kind: How it is delivered, as its contract says.
        most_rules: Of so many rules what is usual is worked out; None for all.
    """
    seen = read_feeds(connection, now)
    moment = seen.reading.judged_at
    failing = [one for one in seen.reading.failed if one.feed == feed]
    counted = connection.execute(_OPEN, [feed]).fetchone()
    standing = next((one for one in seen.reading.standing if one.feed == feed), None)
    return FeedPage(
        standing=standing,
        states=next((one.states for one in seen.feeds if one.feed == feed), ()),
        failing=failing,
        squares=squares(connection, moment, failing, [] if standing is None else [standing], [feed]),
        past=read_past(connection, feed, cadence=cadence, kind=kind, most_rules=most_rules),
        refused=refused_by_rule(connection, feed),
        refused_open=int(counted[0] or 0) if counted else 0,
        tickets=tickets.tickets(connection, feed=feed),
        attempts=attempts.latest_attempts(connection, feed, limit=_MOST_ATTEMPTS),
    )
