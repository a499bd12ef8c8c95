"""What is told when somebody resolves an incident by hand: those who were told that it opened are told who and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from threegaps.ledger.incidents import Incident
from threegaps.settings import Settings
from threegaps.watch.composing import incident_message
from threegaps.watch.entering import enter_message
from threegaps.watch.routing import send_after
from threegaps.watch.telling import FromFile


def tell_of_closing(
    connection: psycopg.Connection[Any], incident: Incident, settings: Settings, now: dt.datetime
) -> int:
    """Enter the messages that *incident* is closed, in the transaction that closed it; how many.

    They go to the channels that its opening went to, after the quiet hours of alerts.yaml; nobody is told of the end of
    what nobody was told of.
    """
    if incident.announced_at is None:
        return 0
    at = send_after(FromFile(settings)().alerts, incident.gravity, now)
    channels = connection.execute(
        "select distinct channel from ops.outbox where incident_id = %s and change in ('opened', 'worsened')"
        " order by 1",
        [incident.incident_id],
    ).fetchall()
    entered = 0
    for (channel,) in channels:
        message = incident_message(incident, "closed", channel, is_synthetic=settings.is_sandbox, now=now)
        entered += enter_message(
            connection, message, channel, incident_id=incident.incident_id, send_after=at, created_at=now
        )
    return entered
