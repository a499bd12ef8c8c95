"""A message as a row of the outbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from threegaps.ledger import outbox
from threegaps.ledger.outbox import Tried
from threegaps.watch.message import Message
from threegaps.watch.told import Note


def enter_message(
    connection: psycopg.Connection[Any],
    message: Message,
    channel: str,
    *,
    incident_id: int | None,
    send_after: dt.datetime,
    created_at: dt.datetime,
    tried: Tried = outbox.NOT_TRIED,
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
        tried=tried,
    )


def enter_note(connection: psycopg.Connection[Any], note: Note, incident_id: int) -> bool:
    """Enter what a note says was sent of an incident; its text went out, and is not kept twice."""
    return outbox.enter(
        connection,
        message_id=note.message_id,
        incident_id=incident_id,
        change=note.change,
        channel=note.channel,
        gravity=note.gravity,
        subject=note.subject,
        body="",
        content={"cause_key": note.cause_key, "opened_at": note.opened_at and note.opened_at.isoformat(), **note.about},
        send_after=note.sent_at,
        created_at=note.sent_at,
        tried=Tried(sent_at=note.sent_at, sent_as=note.sent_as),
    )
