"""What is refused and waits, by feed and rule, and what is out with departments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.ledger import tickets
from threegaps.ledger.batches import latest_first
from threegaps.ledger.tickets import Ticket

# Rows that are refused for the same reasons are counted before the reasons are taken apart: thousands are as ten.
_BY_RULE = f"""
with alike as (
    select q.feed, q.batch_id, q.reasons, count(*) as rows
    from quarantine.refused_row as q
    where q.closed_by_batch_id is null and (%(feed)s::text is null or q.feed = %(feed)s)
        and (%(delivery)s::text is null or q.delivery = %(delivery)s)
    group by q.feed, q.batch_id, q.reasons
), broken as (
    select a.feed, a.rows, b.delivery, b.delivery_end, b.delivery_start, r.rule, r.column_name, r.message_zh,
        r.message_en
    from alike as a join ops.batch as b using (batch_id)
    cross join lateral (
        select distinct on (reason ->> 'rule') reason ->> 'rule' as rule, reason ->> 'column' as column_name,
            reason ->> 'message_zh' as message_zh, reason ->> 'message_en' as message_en
        from jsonb_array_elements(a.reasons) as reason order by reason ->> 'rule'
    ) as r
)
select k.feed, f.title_zh, f.title_en, k.rule, min(k.column_name) as column_name, min(k.message_zh) as message_zh,
    min(k.message_en) as message_en, sum(k.rows)::bigint as rows,
    (array_agg(k.delivery order by k.delivery_end, k.delivery_start))[1] as first_delivery,
    (array_agg(k.delivery order by {latest_first("k")}))[1] as last_delivery
from broken as k left join ops.feed as f using (feed)
group by k.feed, f.title_zh, f.title_en, k.rule order by k.feed, 8 desc, k.rule
"""
_BY_FEED = """
select q.feed, count(*) as rows from quarantine.refused_row as q where q.closed_by_batch_id is null group by 1
"""


_MOST_SETTLED = 50
"""So many tickets that are settled are shown."""


@dataclass(frozen=True, slots=True)
class RefusedByRule:
    """How many rows of a feed wait because of one rule."""

    feed: str
    title_zh: str | None
    title_en: str | None
    rule: str
    column_name: str | None
    message_zh: str | None
    message_en: str | None
    rows: int
    first_delivery: str
    last_delivery: str


@dataclass(frozen=True, slots=True)
class Refused:
    """All that the page of refused rows shows.

    Args:
        by_rule: By feed, the most frequent rule first; a row that broke two rules counts with each.
        by_feed: Rows of each feed, each once.
        tickets: Those that are out, the oldest first, and the last that were settled.
    """

    by_rule: Sequence[RefusedByRule]
    by_feed: dict[str, int]
    tickets: Sequence[Ticket]


def read_refused(connection: psycopg.Connection[Any]) -> Refused:
    """What is refused and waits."""
    every = tickets.tickets(connection, settled=True)
    settled = [one for one in every if one.is_settled]
    return Refused(
        by_rule=refused_by_rule(connection),
        by_feed={str(feed): int(rows) for feed, rows in connection.execute(_BY_FEED).fetchall()},
        tickets=[*(one for one in every if not one.is_settled), *settled[-_MOST_SETTLED:]],
    )


def refused_by_rule(
    connection: psycopg.Connection[Any], feed: str | None = None, delivery: str | None = None
) -> list[RefusedByRule]:
    """How many rows of a feed, or of each, wait because of each rule; by feed, the most frequent rule first.

    Args:
        delivery: Only rows of this one.
    """
    with connection.cursor(row_factory=class_row(RefusedByRule)) as cursor:
        return cursor.execute(_BY_RULE.encode(), {"feed": feed, "delivery": delivery}).fetchall()
