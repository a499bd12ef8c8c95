"""The outbox: messages to people, entered in the transaction of the change that they tell of.

Whoever sends works it off (`threegaps.watch.sending`). A message that lies here twice under one id is one message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


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
    sent_at: dt.datetime | None = None,
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
        sent_at: When it was sent, where it has been, past the outbox.
    """
    entered = connection.execute(
        "insert into ops.outbox (incident_id, change, channel, message_id, gravity, subject, body, content, send_after,"
        " created_at, sent_at, sent_as, tries)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        [
            incident_id,
            change,
            channel,
            message_id,
            gravity,
            subject,
            body,
            Jsonb(dict(content)),
            send_after,
            created_at,
            sent_at,
            sent_at and message_id,
            int(sent_at is not None),
        ],
    ).rowcount
    if not entered and sent_at is not None:
        # It was entered, and then sent past the outbox: not once more.
        connection.execute(
            "update ops.outbox set sent_at = %s, sent_as = message_id, given_up_at = null, cancelled_at = null"
            " where message_id = %s and sent_at is null",
            [sent_at, message_id],
        )
    return bool(entered)
