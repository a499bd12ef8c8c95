"""Tickets: refused rows that were sent back to a department, when, to whom, and what came of them (校核纠错, 国令809).

A row is known again by its key, in a repair by its token. It is mended once a batch accepts what the department says of
it, a withdrawal too, whatever later sendings make of it; one right row mends all that were refused under its key, since
a key stands for one row. It waits where it comes back wrong, in whatever way; where another sending of its delivery
leaves it out, the department is still to say why. Of a row whose key could not be read nobody can say whether it came
back, once no row that says the same is refused: the department is to say that, too.

A ticket is settled once all of its rows are mended, or once somebody notes what the department answered.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import class_row

from threegaps.contracts.tables import PERSON_COLUMN
from threegaps.errors import LedgerError
from threegaps.settings import SHANGHAI
from threegaps.standards.moments import NEVER
from threegaps.standards.white_space import WHITE_SPACE, is_blank


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
        left_out_rows: How many are not refused any more, and have not come back right: they were left out.
        unknown_rows: How many are not refused any more, and nobody can say whether they came right: their key could not
            be read.
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
    left_out_rows: int
    unknown_rows: int
    mended_at: dt.datetime | None

    @property
    def is_settled(self) -> bool:
        """Whether nobody waits for anything any more."""
        return self.answered_at is not None or self.open_rows + self.left_out_rows + self.unknown_rows == 0

    def age_days(self, now: dt.datetime) -> int | None:
        """For how many days, as Shanghai has them, it has been out; None where no calendar has the day it went."""
        if self.sent_at >= NEVER:
            return None
        return (now.astimezone(SHANGHAI).date() - self.sent_at.astimezone(SHANGHAI).date()).days


class AlreadySentError(LedgerError):
    """A ticket at the same address asks for all of these rows already."""

    ticket_id: int | None = None

    @classmethod
    def of(cls, feed: str, ticket_id: int) -> AlreadySentError:
        """The error that names the ticket."""
        error = cls(
            f"Ticket {ticket_id} asks for all of these rows already.",
            feed=feed,
            advice="write the file without a ticket, or enter what the department has answered.",
        )
        error.ticket_id = ticket_id
        return error


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One row that a ticket sent back, and how it stands.

    Args:
        row_token: The token that was sent.
        batch_id: The batch that had refused it.
        delivery: The delivery that it was of.
        source_name: The file that it was in.
        row_number: Its place there.
        county_code: Its county.
        state: A code of `threegaps.labels.TICKET_ROW_STATES`.
        again_row_token: The token of its repair, where that was refused; None where none was.
        accepted_by_batch_id: The batch that has accepted it since; None where it is not accepted.
        accepted_at: When that was loaded.
    """

    row_token: str
    batch_id: int
    delivery: str
    source_name: str
    row_number: int
    county_code: str
    state: str
    again_row_token: str | None
    accepted_by_batch_id: int | None
    accepted_at: dt.datetime | None


ACCEPTED_SINCE = "{refused}.landed_object_id <= {accepted}.landed_object_id and {refused}.batch_id <> %(batch)s"
"""Whether what a batch accepts of a landed object came no earlier than the refusal of the same key, in SQL."""
_SENT = (
    "select r.ticket_id, r.row_token as sent_token, r.batch_id as sent_batch_id, r.again_row_token,"
    " r.accepted_by_batch_id, q.row_token, q.batch_id, q.feed, q.landed_object_id, q.key_hash, q.row_data,"
    " q.closed_by_batch_id from {tickets} as t join ops.ticket_row as r using (ticket_id)"
    " join quarantine.refused_row as q on q.row_token = coalesce(r.again_row_token, r.row_token)"
    " and q.batch_id = coalesce(r.again_batch_id, r.batch_id)"
)
"""The rows of some tickets, and how each was refused last, in SQL."""
# What a row says, to know it by where no key was kept: all that was kept of it, but for the token that stands in place
# of a document number that is none. Of one that was purged nothing was kept.
_SAID = (
    f"nullif(case when {{row}}.row_data ->> '{PERSON_COLUMN}' like '<%%>' then {{row}}.row_data - '{PERSON_COLUMN}'"
    " else {row}.row_data end, '{{}}')::text"
)
# An open refusal of the row counts wherever it stands, but in a batch of which nothing was published. Where no key was
# kept, the row is the same if it says the same. Those of the feeds are read at once: asked row by row, a long list of
# refusals would be read for each.
_FOUND = f"""
with wanted as materialized (
    select t.* from ops.ticket as t
    where (%(feed)s::text is null or t.feed = %(feed)s)
        and (%(ticket)s::bigint is null or t.ticket_id = %(ticket)s)
        -- of all that were ever settled the last ones; of the others those of which not all rows are accepted
        and (%(ticket)s::bigint is not null or t.ticket_id in (
            select n.ticket_id from ops.ticket as n
            where %(feed)s::text is null or n.feed = %(feed)s
            order by n.ticket_id desc limit %(newest)s
        ) or t.answered_at is null and exists (
            select from ops.ticket_row as r where r.ticket_id = t.ticket_id and r.accepted_by_batch_id is null
        ))
),
sent as materialized ({_SENT.format(tickets="wanted")}),
standing as materialized (
    select q.feed, q.key_hash, q.row_data
    from quarantine.refused_row as q join ops.batch as b using (batch_id)
    where q.closed_by_batch_id is null and b.status = 'loaded'
        and q.feed in (select s.feed from sent as s where s.closed_by_batch_id is not null)
),
by_key as materialized (select distinct feed, key_hash from standing where key_hash is not null),
by_row as materialized (select distinct q.feed, {_SAID.format(row="q")} as said from standing as q),
found as (
    select s.*, b.finished_at as accepted_at,
        case when s.closed_by_batch_id is null or k.feed is not null or w.feed is not null then 'open'
            when b.batch_id is not null then 'mended'
            when s.key_hash is null then 'cannot_tell' else 'left_out' end as state
    from sent as s
    left join by_key as k on k.feed = s.feed and k.key_hash = s.key_hash
    left join by_row as w on w.feed = s.feed and w.said = {_SAID.format(row="s")} and s.key_hash is null
    left join ops.batch as b on b.batch_id = s.accepted_by_batch_id
)
"""
# The oldest ticket at the same address that asks for all of these rows, and has no answer. A row is known as always:
# by its key, whatever batch refused it and under which token, and by its token where no key was kept.
_STANDING = """
with chosen as materialized (
    select distinct coalesce(q.key_hash, q.row_token) as known
    from unnest(%s::text[], %s::bigint[]) as c (row_token, batch_id)
    join quarantine.refused_row as q using (row_token, batch_id)
),
asked as materialized (
    select r.ticket_id, r.row_token, r.again_row_token, q.key_hash
    from ops.ticket as t join ops.ticket_row as r using (ticket_id)
    join quarantine.refused_row as q using (row_token, batch_id)
    where t.feed = %s and t.sent_to = %s and t.answered_at is null
),
known as (
    select ticket_id, key_hash as known from asked where key_hash is not null
    union select ticket_id, row_token from asked
    union select ticket_id, again_row_token from asked where again_row_token is not null
)
select k.ticket_id from chosen join known as k using (known)
group by k.ticket_id having count(*) = (select count(*) from chosen)
order by k.ticket_id limit 1
"""
_TICKETS = f"""
{_FOUND},
counted as (
    select
        f.ticket_id,
        count(*) filter (where f.state = 'open')::integer as open_rows,
        count(*) filter (where f.state = 'left_out')::integer as left_out_rows,
        count(*) filter (where f.state = 'cannot_tell')::integer as unknown_rows,
        max(f.accepted_at) filter (where f.state = 'mended') as mended_at
    from found as f group by f.ticket_id
)
select
    t.ticket_id, t.feed, t.rows, t.sent_to, t.sent_by, t.sent_at, t.file_name, t.file_sha256,
    t.answer, t.answered_by, t.answered_at, coalesce(s.open_rows, 0) as open_rows,
    coalesce(s.left_out_rows, 0) as left_out_rows, coalesce(s.unknown_rows, 0) as unknown_rows, s.mended_at
from wanted as t left join counted as s using (ticket_id)
where %(settled)s or t.answered_at is null and s.open_rows + s.left_out_rows + s.unknown_rows > 0
order by t.sent_at, t.ticket_id
"""
_ROWS = f"""
{_FOUND}
select
    f.sent_token as row_token, f.sent_batch_id as batch_id, q.delivery, l.source_name, q.row_number, q.county_code,
    f.state, f.again_row_token, case when f.state = 'mended' then f.accepted_by_batch_id end as accepted_by_batch_id,
    case when f.state = 'mended' then f.accepted_at end as accepted_at
from found as f
join quarantine.refused_row as q on q.row_token = f.sent_token and q.batch_id = f.sent_batch_id
join ops.landed_object as l on l.landed_object_id = q.landed_object_id
order by q.batch_id, q.landed_object_id, q.row_number, f.sent_token
limit %(most)s
"""
# What the batch made of rows that are asked about: accepted, refused anew, or nothing. Of an answered ticket, too: its
# page goes on saying what came of each row.
_OUTCOME = f"""
with asking as materialized (select t.* from ops.ticket as t where t.feed = %(feed)s),
sent as materialized ({_SENT.format(tickets="asking")}),
again as materialized (
    select q.row_token, q.landed_object_id, q.row_number, q.key_hash
    from quarantine.refused_row as q where q.batch_id = %(batch)s and q.closed_by_batch_id is null
),
repair as materialized (
    select p.row_token, a.row_token as again_token
    from unnest(%(tokens)s::text[], %(objects)s::bigint[], %(numbers)s::integer[])
        as p (row_token, landed_object_id, row_number)
    left join again as a using (landed_object_id, row_number)
),
outcome as (
    select s.ticket_id, s.sent_token, s.sent_batch_id, s.accepted_by_batch_id, p.again_token,
        p.again_token is not null or s.key_hash in (select a.key_hash from again as a where a.key_hash is not null)
            as is_refused,
        p.row_token is not null or coalesce({ACCEPTED_SINCE.format(refused="s", accepted="a")}, false) as is_accepted
    from sent as s left join repair as p on p.row_token = s.row_token
    left join unnest(%(keys)s::text[], %(key_objects)s::bigint[]) as a (key_hash, landed_object_id)
        on a.key_hash = s.key_hash
)
update ops.ticket_row as r set
    again_row_token = coalesce(o.again_token, r.again_row_token),
    again_batch_id = case when o.again_token is null then r.again_batch_id else %(batch)s end,
    accepted_by_batch_id = case when o.is_accepted and o.is_refused is not true then %(batch)s::bigint end
from outcome as o
where r.ticket_id = o.ticket_id and r.row_token = o.sent_token and r.batch_id = o.sent_batch_id
    and (o.is_accepted or o.is_refused or o.accepted_by_batch_id = %(supersedes)s::bigint)
"""


def asked_keys(
    connection: psycopg.Connection[Any], feed: str, supersedes_batch_id: int | None
) -> list[tuple[str, str | None]]:
    """Hashes of the keys of rows that tickets ask about, and no batch has accepted; the pseudonym of each one's person.

    Args:
        connection: The warehouse.
        feed: The feed.
        supersedes_batch_id: A batch that is judged again: what it accepted counts no longer.
    """
    return connection.execute(
        f"select distinct s.key_hash, s.row_data ->> '{PERSON_COLUMN}' from ({_SENT.format(tickets='ops.ticket')}"
        " where t.feed = %s) as s where s.key_hash is not null"
        " and (s.accepted_by_batch_id is null or s.accepted_by_batch_id = %s)".encode(),
        [feed, supersedes_batch_id],
    ).fetchall()


def note_outcome(
    connection: psycopg.Connection[Any],
    feed: str,
    batch_id: int,
    *,
    accepted_keys: Mapping[str, int],
    repairs: Mapping[str, tuple[int, int]],
    supersedes_batch_id: int | None,
) -> None:
    """Note what a batch, whose refused rows are in quarantine, makes of rows that tickets ask about.

    Args:
        connection: The warehouse.
        feed: The feed.
        batch_id: The batch.
        accepted_keys: By the hash of a key that it accepts, of those of `asked_keys`, the newest landed object that
            has it.
        repairs: By the token of the row, the landed object and the row of its repair. What is still wrong with it is
            refused under a token of its own, by which the ticket asks from now on.
        supersedes_batch_id: The batch that it judges again.
    """
    connection.execute(
        _OUTCOME.encode(),
        {
            "feed": feed,
            "batch": batch_id,
            "keys": list(accepted_keys),
            "key_objects": list(accepted_keys.values()),
            "tokens": list(repairs),
            "objects": [landed_object_id for landed_object_id, _ in repairs.values()],
            "numbers": [row_number for _, row_number in repairs.values()],
            "supersedes": supersedes_batch_id,
        },
    )


def check_named(sent_to: str, sent_by: str) -> None:
    """Refuse to open a ticket that does not say whom it is for; to be asked before a file is written, too.

    Args:
        sent_to: To whom the rows go.
        sent_by: Who sends them.

    Raises:
        LedgerError: One of the two is blank.
    """
    if is_blank(sent_to) or is_blank(sent_by):
        raise LedgerError("It is not said to whom the rows go, and who sends them.", advice="say --sent-to and --by.")


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
        AlreadySentError: A ticket at the same address asks for all of these rows, and has no answer.
        LedgerError: There is no row, it is not said to whom or by whom, or a load has ended refusals since.
    """
    chosen = list(dict.fromkeys(refusals))
    if not chosen:
        raise LedgerError("There is no row to send back.", feed=feed, advice="see `threegaps quarantine rules`.")
    check_named(sent_to, sent_by)
    sent_to = sent_to.strip(WHITE_SPACE)
    with file.open("rb") as content:
        file_hash = hashlib.file_digest(content, "sha256").hexdigest()
    with connection.transaction():
        _hold_open(connection, feed, chosen)
        standing = connection.execute(_STANDING.encode(), [*_columns(chosen), feed, sent_to]).fetchone()
        if standing is not None:
            raise AlreadySentError.of(feed, int(standing[0]))
        row = connection.execute(
            "insert into ops.ticket (feed, rows, sent_to, sent_by, sent_at, file_name, file_sha256)"
            " values (%s, %s, %s, %s, %s, %s, %s) returning ticket_id",
            [feed, len(chosen), sent_to, sent_by.strip(WHITE_SPACE), at, file.name, file_hash],
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


def _hold_open(connection: psycopg.Connection[Any], feed: str, refusals: Sequence[tuple[str, int]]) -> None:
    """Keep the refusals open until the transaction ends: a load, or another ticket, sees this one or is seen by it."""
    try:
        held = connection.execute("select quarantine.hold_open(%s, %s)", _columns(refusals)).fetchone()
    except errors.LockNotAvailable:
        raise LedgerError(
            "A load is judging these rows again just now, or another ticket is opened for them.",
            feed=feed,
            advice="write the file again in a minute.",
        ) from None
    ended = len(refusals) - (int(held[0]) if held else 0)
    if ended:
        raise LedgerError(
            f"{ended:,} of the rows are not refused any more: a load has judged them again since the file was written.",
            feed=feed,
            advice="write the file again.",
        )


def _columns(refusals: Sequence[tuple[str, int]]) -> list[list[Any]]:
    return [[token for token, _ in refusals], [batch_id for _, batch_id in refusals]]


def tickets(connection: psycopg.Connection[Any], *, feed: str | None = None, newest: int | None = 0) -> list[Ticket]:
    """Tickets that are out, the oldest first.

    Args:
        connection: The warehouse.
        feed: Only of this feed.
        newest: Of so many of the newest tickets also those that are settled; None for all.
    """
    return _asked(connection, feed=feed, ticket=None, newest=newest)


def find_ticket(connection: psycopg.Connection[Any], ticket_id: int) -> Ticket:
    """The ticket of this number.

    Raises:
        LedgerError: There is none.
    """
    found = _asked(connection, feed=None, ticket=ticket_id)
    if not found:
        raise LedgerError(f"There is no ticket {ticket_id}.", advice="see `threegaps quarantine tickets --all`.")
    return found[0]


def rows_of(connection: psycopg.Connection[Any], ticket_id: int, *, most: int | None = None) -> list[TicketRow]:
    """The first *most* rows that a ticket sent back, by default all, in the order of their files."""
    with connection.cursor(row_factory=class_row(TicketRow)) as cursor:
        wanted = {"feed": None, "ticket": ticket_id, "newest": 0, "most": most}
        return cursor.execute(_ROWS.encode(), wanted).fetchall()


def answer(connection: psycopg.Connection[Any], ticket_id: int, *, said: str, by: str, at: dt.datetime) -> Ticket:
    """Note what the department has answered where no row comes back: the ticket is settled.

    Raises:
        LedgerError: There is no such ticket, it has an answer, or nothing is said.
    """
    ticket = find_ticket(connection, ticket_id)
    if ticket.answered_at is not None:
        raise _answered(ticket)
    if is_blank(said) or is_blank(by):
        raise LedgerError("Nothing is said.", feed=ticket.feed, advice="say --note and --by.")
    noted = connection.execute(
        "update ops.ticket set answer = %s, answered_by = %s, answered_at = %s"
        " where ticket_id = %s and answered_at is null",
        [said.strip(WHITE_SPACE), by.strip(WHITE_SPACE), at, ticket_id],
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


def _asked(
    connection: psycopg.Connection[Any], *, feed: str | None, ticket: int | None, newest: int | None = 0
) -> list[Ticket]:
    settled = ticket is not None or newest != 0
    with connection.cursor(row_factory=class_row(Ticket)) as cursor:
        wanted = {"feed": feed, "ticket": ticket, "newest": newest, "settled": settled}
        return cursor.execute(_TICKETS.encode(), wanted).fetchall()
