"""A message as a row of the outbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from threegaps.ledger import outbox
from threegaps.watch.message import Message


def enter_message(
    connection: psycopg.Connection[Any],
    message: Message,
    channel: str,
    *,
    incident_id: int | None,
    send_after: dt.datetime,
    created_at: dt.datetime,
    sent_at: dt.datetime | None = None,
) -> bool:
    """Enter *message* for *channel*; see `threegaps.ledger.outbox.enter`.

    Args:
        incident_id: The incident's number in the ledger, which a message that was made in the journal does not know.
    """
    return outbox.enter(
        connection,
        message_id=message.message_id,
        incident_id=incident_id,
        change=message.change,
        channel=channel,
        gravity=message.gravity,
        subject=message.subject,
        body=message.text,
        content=message.content,
        send_after=send_after,
        created_at=created_at,
        sent_at=sent_at,
    )
