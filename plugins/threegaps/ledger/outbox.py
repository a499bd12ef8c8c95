"""The outbox: messages to people, entered in the transaction of the change that they tell of.

Whoever sends works it off (`threegaps.watch.sending`). A message that lies here twice under one id is one message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


@dataclass(frozen=True, slots=True)
class Tried:
    """How far a message has come, in the outbox or past it.

    Args:
        sent_as: The id of the message that went out, where it has.
        tries: How often it was tried.
        unclear_tries: After how many of those nobody can say whether it was taken.
        tried_at: When it was tried last, by the clock of the passes.
        first_tried_at: When it was tried first, by the clock of `sent_at`.
        retry_at: Before this it is not tried again.
        fault: What the last try failed for, as ``ops.outbox.fault`` says it.
        is_refused: The last try was refused in a way that does not heal by itself.
        last_error: What was said of the last try.
        rest: Recipients who are still to get what the others have got.
        given_up_at: When it was given up; None where it was not.
    """

    sent_at: dt.datetime | None = None
    sent_as: str | None = None
    tries: int = 0
    unclear_tries: int = 0
    tried_at: dt.datetime | None = None
    first_tried_at: dt.datetime | None = None
    retry_at: dt.datetime | None = None
    fault: str | None = None
    is_refused: bool = False
    last_error: str | None = None
    rest: tuple[str, ...] = ()
    given_up_at: dt.datetime | None = None


NOT_TRIED = Tried()


def channels_told(connection: psycopg.Connection[Any], incident_id: int) -> list[str]:
    """The channels that are told, or are to be, of an incident's opening or worsening: its end goes to them."""
    rows = connection.execute(
        "select channel from ops.outbox where incident_id = %s and change in ('opened', 'worsened')"
        " group by channel order by min(outbox_id)",
        [incident_id],
    ).fetchall()
    return [str(row[0]) for row in rows]


def resolved_and_untold(connection: psycopg.Connection[Any]) -> list[int]:
    """Incidents that a person has closed, and of whose end those are not told yet who are of their opening."""
    rows = connection.execute(
        "select i.incident_id from ops.incident as i join ops.outbox as o using (incident_id)"
        " where i.closed_at is not null and i.closed_by <> 'watch' and o.change in ('opened', 'worsened')"
        " and not exists (select from ops.outbox as ending where ending.incident_id = i.incident_id"
        " and ending.channel = o.channel and ending.change = 'closed')"
        " group by i.incident_id order by min(i.closed_at), i.incident_id"
    ).fetchall()
    return [int(row[0]) for row in rows]


def enter(
    connection: psycopg.Connection[Any],
    *,
    message_id: str,
    incident_id: int | None,
    change: str,
    channel: str,
    gravity: str,
    subject: str,
    body: str,
    content: Mapping[str, Any],
    send_after: dt.datetime,
    created_at: dt.datetime,
    tried: Tried = NOT_TRIED,
) -> bool:
    """Enter one message for one channel; False where it lies there already, by its id or by change and channel.

    Args:
        connection: The warehouse, in the transaction of the change.
        message_id: Fixed when the message is made.
        incident_id: The incident; None for a digest.
        change: What happened to the incident.
        channel: Name of the channel.
        gravity: ``notice``, ``warning`` or ``critical``.
        subject: One line.
        body: The text.
        content: The same as data.
        send_after: Not to be sent before.
        created_at: When it was made.
        tried: What has become of it past the outbox.
    """
    if tried.sent_at is not None:
        tried = replace(tried, sent_as=tried.sent_as or message_id, tries=max(tried.tries, 1), fault=None)
    entered = connection.execute(
        "insert into ops.outbox (incident_id, change, channel, message_id, gravity, subject, body, content, send_after,"
        " created_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        [
            *(incident_id, change, channel, message_id, gravity, subject, body, Jsonb(dict(content))),
            *(send_after, created_at),
        ],
    ).rowcount
    if tried.tries:
        # Where it was entered before, what has become of it since counts; one that was sent is not sent once more.
        row = connection.execute(
            "update ops.outbox set tries = greatest(tries, %s), unclear_tries = greatest(unclear_tries, %s),"
            " given_up_at = case when %s then null else given_up_at end,"
            " cancelled_at = case when %s then null else cancelled_at end"
            " where message_id = %s and sent_at is null returning outbox_id, tries, unclear_tries,"
            " last_error",
            [tried.tries, tried.unclear_tries, *[tried.sent_at is not None] * 2, message_id],
        ).fetchone()
        if row is not None:
            known = replace(tried, tries=row[1], unclear_tries=row[2], last_error=tried.last_error or row[3])
            note(connection, {int(row[0]): known})
    return bool(entered)


def pass_over(connection: psycopg.Connection[Any], since: dt.datetime, now: dt.datetime) -> None:
    """Do not count the time from *since* to *now* in which nothing was tried: what waits is as old as it was before.

    No watch was at work, the warehouse did not answer, or the clock was put on.
    """
    connection.execute(
        "update ops.outbox set created_at = least(created_at + %(skipped)s, %(now)s) where created_at < %(now)s"
        " and given_up_at is null and cancelled_at is null and (sent_at is null or retry_at is not null)",
        {"skipped": now - since, "now": now},
    )


def take_back_digests(connection: psycopg.Connection[Any], now: dt.datetime) -> None:
    """Where the clock was put back: digests of days that have not come were none; those days have theirs still to come.

    One that has gone out stays as what it was.
    """
    connection.execute(
        "delete from ops.outbox where change = 'digest' and created_at > %s and sent_at is null and tries = 0", [now]
    )
    connection.execute(
        "update ops.outbox set change = 'digest_too_early' where change = 'digest' and created_at > %s", [now]
    )


def note(connection: psycopg.Connection[Any], found: Mapping[int, Tried]) -> None:
    """Note how far messages have come, by their numbers in the outbox."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "update ops.outbox set sent_at = %(sent_at)s, sent_as = %(sent_as)s, tries = %(tries)s,"
            " unclear_tries = %(unclear_tries)s, tried_at = %(tried_at)s,"
            " first_tried_at = coalesce(first_tried_at, %(first_tried_at)s, %(tried_at)s), retry_at = %(retry_at)s,"
            " fault = %(fault)s, is_refused = %(is_refused)s, last_error = %(last_error)s,"
            " given_up_at = coalesce(%(given_up_at)s, given_up_at),"
            " content = case when %(rest)s::text[] = '{}' then content - 'rest'"
            " else content || jsonb_build_object('rest', %(rest)s::text[]) end where outbox_id = %(outbox_id)s",
            [{**asdict(tried), "rest": list(tried.rest), "outbox_id": number} for number, tried in found.items()],
        )
