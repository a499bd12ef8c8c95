"""The messages on a change of an incident, entered in the transaction of the change."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from threegaps.ledger import outbox
from threegaps.ledger.incidents import Incident
from threegaps.settings import Settings
from threegaps.watch.composing import incident_message
from threegaps.watch.entering import enter_message
from threegaps.watch.telling import FromFile, Telling


def enter_change(
    connection: psycopg.Connection[Any],
    telling: Telling,
    incident: Incident,
    change: str,
    now: dt.datetime,
    *,
    is_synthetic: bool,
) -> int:
    """Enter what is told of *change*, one message for each channel; how many. May be repeated.

    Args:
        connection: The warehouse, in the transaction of the change.
        telling: Who is told.
        incident: As it stands after the change.
        change: ``opened``, ``worsened`` or ``closed``.
        now: When it happened.
        is_synthetic: The departments are the sandbox's.
    """
    told = outbox.channels_told(connection, incident.incident_id)
    entered = 0
    for way in telling.ways(incident, change, now, told=told):
        message = incident_message(incident, change, way.channel_name, is_synthetic=is_synthetic, now=now)
        entered += enter_message(
            connection,
            message,
            way.channel_name,
            incident_id=incident.incident_id,
            send_after=way.send_after,
            created_at=now,
        )
    return entered


def tell_of_closing(
    connection: psycopg.Connection[Any], incident: Incident, settings: Settings, now: dt.datetime
) -> int:
    """Enter the messages that somebody has closed *incident*, who and why; how many.

    Nobody is told of the end of what nobody was told of.
    """
    if incident.announced_at is None:
        return 0
    telling = FromFile(settings)()
    return enter_change(connection, telling, incident, "closed", now, is_synthetic=settings.is_sandbox)
