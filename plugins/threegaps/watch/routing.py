"""Who is told of an incident: which channels, and when at the earliest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from threegaps.ledger.incidents import GRAVITIES
from threegaps.watch.alerts import Alerts, Route


@dataclass(frozen=True, slots=True)
class Routed:
    """One channel that something goes to, not before *send_after*."""

    channel_name: str
    send_after: dt.datetime


def channels_for(
    alerts: Alerts,
    incident_kind: str,
    gravity: str,
    department: str | None,
    now: dt.datetime,
) -> list[Routed]:
    """The channels that an incident is told by as it stands now, in the order of the file, each once.

    They are asked when it opens and when it worsens; its end goes to those that were told, whatever they are now.

    Args:
        incident_kind: A code of `labels.INCIDENT_KINDS`.
        gravity: ``warning`` or ``critical``.
        department: Of its feeds; None where it concerns several, or none: only routes for all departments take it.
        now: When the change happens, which hours of a route are judged by.
    """
    names = [
        name
        for route in alerts.routes
        if _fits(route, alerts, incident_kind, gravity, department, now)
        for name in route.channels
    ]
    at = send_after(alerts, gravity, now)
    return [Routed(name, at) for name in dict.fromkeys(names)]


def send_after(alerts: Alerts, gravity: str, now: dt.datetime) -> dt.datetime:
    """When something of *gravity* that happens *now* may be told: what is critical at once, the rest after quiet hours.

    Quiet hours end with the next working hour, not by themselves: nobody is there before.
    """
    if gravity == "critical" or alerts.quiet == "never":
        return now
    if alerts.quiet != "outside_working_hours" and not alerts.quiet.holds(now):
        return now
    return alerts.working_hours.next_from(now)


def _fits(route: Route, alerts: Alerts, kind: str, gravity: str, department: str | None, now: dt.datetime) -> bool:
    if GRAVITIES.index(gravity) < GRAVITIES.index(route.from_gravity):
        return False
    if route.kinds and kind not in route.kinds:
        return False
    if route.departments and department not in route.departments:
        return False
    return route.hours == "always" or (route.hours == "working") == alerts.working_hours.hold(now)
