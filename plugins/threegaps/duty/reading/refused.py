"""What is refused and waits, by feed and rule, and what is out with departments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.ledger import tickets
from threegaps.ledger.tickets import Ticket
from threegaps.warehouse.quarantine import RefusedByRule, refused_by_rule

_BY_FEED = """
select q.feed, count(*) as rows from quarantine.refused_row as q where q.closed_by_batch_id is null group by 1
"""


_NEWEST = 100
"""Of so many of the newest tickets those that are settled are shown, too."""


@dataclass(frozen=True, slots=True)
class Refused:
    """All that the page of refused rows shows.

    Args:
        by_rule: By feed, the most frequent rule first; a row that broke two rules counts with each.
        by_feed: Rows of each feed, each once.
        tickets: Those that are out, the oldest first, and then of the newest those that are settled.
    """

    by_rule: Sequence[RefusedByRule]
    by_feed: dict[str, int]
    tickets: Sequence[Ticket]


def read_refused(connection: psycopg.Connection[Any]) -> Refused:
    """What is refused and waits."""
    found = tickets.tickets(connection, newest=_NEWEST)
    return Refused(
        by_rule=refused_by_rule(connection),
        by_feed={str(feed): int(rows) for feed, rows in connection.execute(_BY_FEED).fetchall()},
        tickets=sorted(found, key=lambda one: one.is_settled),
    )
