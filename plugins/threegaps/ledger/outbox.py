"""The outbox: messages to people, entered in the transaction of the change that they tell of.

Whoever sends works it off (`threegaps.watch.sending`). A message that lies here twice under one id is one message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


@dataclass(frozen=True, slots=True)
class Tried:
    """How far a message has come that was tried past the outbox.

    Args:
        sent_as: The id of the message that went out, where it has.
        tries: How often it was tried.
        unclear_tries: After how many of those nobody can say whether it was taken.
        tried_at: When it was tried last.
        retry_at: Before this it is not tried again.
        fault: What the last try failed for, as ``ops.outbox.fault`` says it.
    """

    sent_at: dt.datetime | None = None
    sent_as: str | None = None
    tries: int = 0
    unclear_tries: int = 0
    tried_at: dt.datetime | None = None
    retry_at: dt.datetime | None = None
    fault: str | None = None
    is_refused: bool = False
    last_error: str | None = None


NOT_TRIED = Tried()


def channels_told(connection: psycopg.Connection[Any], incident_id: int) -> list[str]:
    """The channels that are told, or are to be, of an incident's opening or worsening: its end goes to them."""
    rows = connection.execute(
        "select channel from ops.outbox where incident_id = %s and change in ('opened', 'worsened')"
        " group by channel order by min(outbox_id)",
        [incident_id],
    ).fetchall()
    return [str(row[0]) for row in rows]


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
    state = {
        "sent_at": tried.sent_at,
        "sent_as": tried.sent_at and (tried.sent_as or message_id),
        "tries": max(tried.tries, int(tried.sent_at is not None)),
        "unclear_tries": tried.unclear_tries,
        "tried_at": tried.tried_at,
        "retry_at": None if tried.sent_at else tried.retry_at,
        "fault": None if tried.sent_at else tried.fault,
        "is_refused": tried.is_refused and tried.sent_at is None,
        "last_error": tried.last_error,
        "message_id": message_id,
    }
    entered = connection.execute(
        "insert into ops.outbox (incident_id, change, channel, message_id, gravity, subject, body, content, send_after,"
        " created_at, sent_at, sent_as, tries, unclear_tries, tried_at, first_tried_at, retry_at, fault, is_refused,"
        " last_error) values (%(incident_id)s, %(change)s, %(channel)s, %(message_id)s, %(gravity)s, %(subject)s,"
        " %(body)s, %(content)s, %(send_after)s, %(created_at)s, %(sent_at)s, %(sent_as)s, %(tries)s,"
        " %(unclear_tries)s, %(tried_at)s, %(tried_at)s, %(retry_at)s, %(fault)s, %(is_refused)s, %(last_error)s)"
        " on conflict do nothing",
        {
            "incident_id": incident_id,
            "change": change,
            "channel": channel,
            "gravity": gravity,
            "subject": subject,
            "body": body,
            "content": Jsonb(dict(content)),
            "send_after": send_after,
            "created_at": created_at,
            **state,
        },
    ).rowcount
    if not entered and state["tries"]:
        # It was entered before: what has become of it since counts; one that was sent is not sent once more.
        connection.execute(
            "update ops.outbox set sent_at = %(sent_at)s, sent_as = %(sent_as)s, tries = greatest(tries, %(tries)s),"
            " unclear_tries = greatest(unclear_tries, %(unclear_tries)s), tried_at = %(tried_at)s,"
            " first_tried_at = coalesce(first_tried_at, %(tried_at)s), retry_at = %(retry_at)s, fault = %(fault)s,"
            " is_refused = %(is_refused)s, last_error = coalesce(%(last_error)s, last_error),"
            " given_up_at = case when %(sent_at)s::timestamptz is null then given_up_at end,"
            " cancelled_at = case when %(sent_at)s::timestamptz is null then cancelled_at end"
            " where message_id = %(message_id)s and sent_at is null",
            state,
        )
    return bool(entered)
