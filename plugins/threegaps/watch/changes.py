"""The messages on a change of an incident, entered in the transaction of the change."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from threegaps.ledger import outbox
from threegaps.ledger.incidents import Incident
from threegaps.watch.composing import incident_message
from threegaps.watch.entering import enter_message
from threegaps.watch.telling import Telling


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
