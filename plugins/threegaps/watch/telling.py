"""Who is told, and by which channels: alerts.yaml as the service knows it, read again when it has changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import psycopg

from threegaps.errors import SettingsError
from threegaps.labels import INCIDENT_KINDS
from threegaps.ledger.incidents import Incident
from threegaps.settings import Settings
from threegaps.watch.alerts import Alerts, alerts_path, load_alerts
from threegaps.watch.channels.making import make_channels
from threegaps.watch.digest import enter_digest
from threegaps.watch.message import Channel
from threegaps.watch.routing import Routed, channels_for, send_after
from threegaps.watch.sending import Sent, send_due
from threegaps.watch.told import Told


class Way(Protocol):
    """One channel by which a change is told, and when."""

    @property
    def channel_name(self) -> str:
        """Name of the channel."""

    @property
    def send_after(self) -> dt.datetime:
        """Not before."""


Route = Callable[[Incident, dt.datetime], Sequence[Way]]
Send = Callable[[psycopg.Connection[Any], dt.datetime, float], object]


def _nobody(_: Incident, __: dt.datetime) -> Sequence[Way]:
    return ()


def _nothing(_: psycopg.Connection[Any], __: dt.datetime, ___: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told; by default nobody.

    Args:
        channels: By name.
        route: By which channels an incident is told as it stands, and when.
        send: Enters the daily digest and works off what is due of the outbox, over a connection in autocommit;
            no message is begun after an instant of `time.monotonic`.
        problem: What is wrong with alerts.yaml; empty where nothing is.
        can_tell: False where nobody knows who is to be told: what is to be told waits.
        alerts: What the file says.
    """

    channels: Mapping[str, Channel] = field(default_factory=dict)
    route: Route = _nobody
    send: Send = _nothing
    problem: str = ""
    can_tell: bool = True
    alerts: Alerts = field(default_factory=lambda: Alerts(is_absent=True))

    def ways(self, incident: Incident, change: str, now: dt.datetime, *, told: Iterable[str]) -> Sequence[Way]:
        """By which channels a change of *incident* is told, and when, each channel once.

        Its end goes to those who were told of it, and to them alone, whatever its department and alerts.yaml have
        become since. That it has become graver goes to them, too, and to all whom its gravity concerns now.

        Args:
            incident: As it stands after the change.
            change: ``opened``, ``worsened`` or ``closed``.
            now: When the change happened.
            told: The channels that have been told of it, or are to be.
        """
        found: list[Way] = [] if change == "closed" else [*self.route(incident, now)]
        names = {way.channel_name for way in found}
        at = send_after(self.alerts, incident.gravity, now)
        return [*found, *(Routed(name, at) for name in dict.fromkeys(told) if name not in names)]


def of_alerts(
    alerts: Alerts, environment: Mapping[str, str], *, is_synthetic: bool = False, told: Told | None = None
) -> Telling:
    """Who is told as *alerts* says; secrets are read from *environment*.

    Args:
        is_synthetic: The departments are the sandbox's.
        told: What has been sent, whatever the outbox says.
    """
    channels = make_channels(alerts, environment)

    def route(incident: Incident, now: dt.datetime) -> Sequence[Way]:
        return channels_for(alerts, incident.kind, incident.gravity, incident.department, now)

    def send(connection: psycopg.Connection[Any], now: dt.datetime, until: float) -> Sent:
        # A digest that cannot be made holds up no message.
        def send_what_is_due() -> Sent:
            return send_due(
                connection,
                channels,
                now,
                burst=alerts.burst,
                give_up_after=alerts.give_up_after,
                told=told,
                is_synthetic=is_synthetic,
                until=until,
            )

        sent = send_what_is_due()
        if enter_digest(connection, alerts, now, is_synthetic=is_synthetic):
            send_what_is_due()
        return sent

    return Telling(channels, route, send, alerts=alerts)


class FromFile:
    """Who is told as alerts.yaml says; one that has become wrong leaves what it said before in force.

    Args:
        settings: Where the file is.
        told: As in `of_alerts`.
    """

    def __init__(self, settings: Settings, told: Told | None = None) -> None:
        self._told = told
        self._path = alerts_path(settings)
        self._environment = settings.environment
        self._is_synthetic = settings.is_sandbox
        self._seen: tuple[int, int] | None = (-1, -1)
        self._telling = Telling()
        self._last_good: Telling | None = None

    def __call__(self) -> Telling:
        """Who is told now."""
        seen = _mark(self._path)
        if seen != self._seen:
            self._seen = seen
            self._telling = self._read()
        return self._telling

    def _read(self) -> Telling:
        try:
            self._last_good = of_alerts(
                load_alerts(self._path, tuple(INCIDENT_KINDS)),
                self._environment,
                is_synthetic=self._is_synthetic,
                told=self._told,
            )
        except SettingsError as error:
            before = self._last_good or Telling(can_tell=False)
            return replace(before, problem=error.message)
        return self._last_good


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
