"""Tickets: refused rows that were sent back to a department, when, to whom, and what came of them (校核纠错, 国令809).

A refusal ends by itself where the row comes back, in a repair or at its source; where it comes back as wrong as it was
it is refused anew, and waits on. A ticket is settled once none of its rows is refused any more, or once somebody notes
what the department has answered instead.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.errors import LedgerError
from threegaps.settings import SHANGHAI


@dataclass(frozen=True, slots=True)
class Ticket:
    """One row of ``ops.ticket``, and how its refusals stand.

    Args:
        ticket_id: Its number.
        feed: The feed.
        rows: How many rows were sent back.
        sent_to: To whom.
        sent_by: By whom.
        sent_at: When.
        file_name: What the file was called.
        file_sha256: Its hash.
        answer: What the department answered where no row came back; None where nothing was noted.
        answered_by: Who noted it.
        answered_at: When.
        open_rows: How many of the rows are still refused, then or anew, and wait.
        mended_at: When the last of those that have come back right was taken; None where none has.
    """

    ticket_id: int
    feed: str
    rows: int
    sent_to: str
    sent_by: str
    sent_at: dt.datetime
    file_name: str
    file_sha256: str
    answer: str | None
    answered_by: str | None
    answered_at: dt.datetime | None
    open_rows: int
    mended_at: dt.datetime | None

    @property
    def is_settled(self) -> bool:
        """Whether nobody waits for anything any more."""
        return self.answered_at is not None or self.open_rows == 0

    def age_days(self, now: dt.datetime) -> int:
        """For how many days, as Shanghai has them, it has been out."""
        return (now.astimezone(SHANGHAI).date() - self.sent_at.astimezone(SHANGHAI).date()).days


# What the same row is: its key, or all of it where no key is kept.
_ROW = "coalesce({}.key_hash, {}.row_data::text)"
# Where a file is sent again, its batch ends the refusals of the one before and refuses anew what is still wrong: a row
# is followed from batch to batch until one ends its refusal and does not refuse it again. An open refusal of the row
# counts wherever it stands, but in a batch of which nothing was published. Those of the feeds are read at once: asked
# row by row, a long list of refusals would be read for each.
_TICKETS = f"""
with recursive wanted as materialized (
    select t.* from ops.ticket as t
    where (%(feed)s::text is null or t.feed = %(feed)s)
        and (%(ticket)s::bigint is null or t.ticket_id = %(ticket)s)
        and (%(settled)s or t.answered_at is null)
),
sent as materialized (
    select r.ticket_id, q.row_token, q.batch_id, q.feed, q.closed_by_batch_id, {_ROW.format("q", "q")} as content
    from wanted as w
    join ops.ticket_row as r using (ticket_id)
    join quarantine.refused_row as q on q.row_token = r.row_token and q.batch_id = r.batch_id
),
closings as (
    select s.ticket_id, s.row_token, s.batch_id, s.feed, s.content, s.closed_by_batch_id as closing
    from sent as s where s.closed_by_batch_id is not null
    union
    select c.ticket_id, c.row_token, c.batch_id, c.feed, c.content, again.closed_by_batch_id
    from closings as c
    join quarantine.refused_row as again
        on again.batch_id = c.closing and again.feed = c.feed and {_ROW.format("again", "again")} = c.content
    where again.closed_by_batch_id is not null
),
standing as materialized (
    select distinct q.feed, {_ROW.format("q", "q")} as content
    from quarantine.refused_row as q join ops.batch as b using (batch_id)
    where q.closed_by_batch_id is null and b.status = 'loaded'
        and q.feed in (select s.feed from sent as s where s.closed_by_batch_id is not null)
),
taken as (
    select c.ticket_id, c.row_token, c.batch_id, max(b.finished_at) as taken_at
    from closings as c join ops.batch as b on b.batch_id = c.closing
    group by c.ticket_id, c.row_token, c.batch_id
),
counted as (
    select
        s.ticket_id,
        count(*) filter (where s.closed_by_batch_id is null or o.feed is not null)::integer as open_rows,
        max(m.taken_at) filter (where o.feed is null) as mended_at
    from sent as s
    left join taken as m using (ticket_id, row_token, batch_id)
    left join standing as o on o.feed = s.feed and o.content = s.content
    group by s.ticket_id
)
select
    t.ticket_id, t.feed, t.rows, t.sent_to, t.sent_by, t.sent_at, t.file_name, t.file_sha256,
    t.answer, t.answered_by, t.answered_at, coalesce(s.open_rows, 0) as open_rows, s.mended_at
from wanted as t left join counted as s using (ticket_id)
where %(settled)s or s.open_rows > 0
order by t.sent_at, t.ticket_id
"""


def open_ticket(
    connection: psycopg.Connection[Any],
    feed: str,
    refusals: Iterable[tuple[str, int]],
    *,
    sent_to: str,
    sent_by: str,
    file: Path,
    at: dt.datetime,
) -> int:
    """Note that rows were sent back; the ticket's number.

    Args:
        connection: The warehouse.
        feed: The feed.
        refusals: Token and batch of each row.
        sent_to: To whom.
        sent_by: Who sends them.
        file: What goes to them: its name and its hash are kept.
        at: When.

    Raises:
        LedgerError: There is no row, or it is not said to whom or by whom.
    """
    chosen = list(dict.fromkeys(refusals))
    if not chosen:
        raise LedgerError("There is no row to send back.", feed=feed, advice="see `threegaps quarantine rules`.")
    if not sent_to.strip() or not sent_by.strip():
        raise LedgerError(
            "It is not said to whom the rows go, and who sends them.", feed=feed, advice="say --sent-to and --by."
        )
    file_hash = hashlib.sha256(file.read_bytes()).hexdigest()
    with connection.transaction():
        row = connection.execute(
            "insert into ops.ticket (feed, rows, sent_to, sent_by, sent_at, file_name, file_sha256)"
            " values (%s, %s, %s, %s, %s, %s, %s) returning ticket_id",
            [feed, len(chosen), sent_to.strip(), sent_by.strip(), at, file.name, file_hash],
        ).fetchone()
        if row is None:
            raise LedgerError("The ledger has given the ticket no number.", feed=feed)
        ticket_id = int(row[0])
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into ops.ticket_row (ticket_id, row_token, batch_id) values (%s, %s, %s)",
                [(ticket_id, token, batch_id) for token, batch_id in chosen],
            )
    return ticket_id


def tickets(connection: psycopg.Connection[Any], *, feed: str | None = None, settled: bool = False) -> list[Ticket]:
    """Tickets, the oldest first; settled ones too where *settled*."""
    return _asked(connection, feed=feed, ticket=None, settled=settled)


def find_ticket(connection: psycopg.Connection[Any], ticket_id: int) -> Ticket:
    """The ticket of this number.

    Raises:
        LedgerError: There is none.
    """
    found = _asked(connection, feed=None, ticket=ticket_id, settled=True)
    if not found:
        raise LedgerError(f"There is no ticket {ticket_id}.", advice="see `threegaps quarantine tickets --all`.")
    return found[0]


def answer(connection: psycopg.Connection[Any], ticket_id: int, *, said: str, by: str, at: dt.datetime) -> Ticket:
    """Note what the department has answered where no row comes back: the ticket is settled.

    Raises:
        LedgerError: There is no such ticket, it has an answer, or nothing is said.
    """
    ticket = find_ticket(connection, ticket_id)
    if ticket.answered_at is not None:
        raise _answered(ticket)
    if not said.strip() or not by.strip():
        raise LedgerError("Nothing is said.", feed=ticket.feed, advice="say --note and --by.")
    noted = connection.execute(
        "update ops.ticket set answer = %s, answered_by = %s, answered_at = %s"
        " where ticket_id = %s and answered_at is null",
        [said.strip(), by.strip(), at, ticket_id],
    ).rowcount
    if not noted:
        raise _answered(ticket)
    return find_ticket(connection, ticket_id)


def _answered(ticket: Ticket) -> LedgerError:
    return LedgerError(
        f"Ticket {ticket.ticket_id} was answered already.",
        feed=ticket.feed,
        advice="see `threegaps quarantine tickets --all`.",
    )


def _asked(connection: psycopg.Connection[Any], *, feed: str | None, ticket: int | None, settled: bool) -> list[Ticket]:
    with connection.cursor(row_factory=class_row(Ticket)) as cursor:
        cursor.execute(_TICKETS.encode(), {"feed": feed, "ticket": ticket, "settled": settled})
        return cursor.fetchall()
