"""After each pass: the snapshot, and from it the page, the data beside it and the metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg

from threegaps.errors import SettingsError, ThreeGapsError
from threegaps.ledger.incidents import Incident
from threegaps.settings import Settings
from threegaps.translations import in_both
from threegaps.watch.alerts import Alerts, unset_variables
from threegaps.watch.deadlines import DeadlineError, deadline
from threegaps.watch.gathering import Gathered, gather, incidents_seen
from threegaps.watch.looking import Looked
from threegaps.watch.metrics import Metrics, metrics_address
from threegaps.watch.pages import write_pages
from threegaps.watch.reading_machine import in_our_words
from threegaps.watch.readings import NotLookedAt
from threegaps.watch.snapshot import Look, Snapshot

# Less than the whole showing of a pass may take.
_LEDGER_SECONDS = 35.0
Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]


class Showing:
    """Shows what each pass saw.

    Args:
        settings: Which installation.
        folder: Where the pages go.
        connect: Opens a connection to the warehouse, in autocommit, that does not wait for ever.
        interval_seconds: After how long the next pass begins.
    """

    def __init__(self, settings: Settings, folder: Path, connect: Connect, *, interval_seconds: float) -> None:
        self._settings = settings
        self._folder = folder
        self._connect = connect
        self._interval_seconds = interval_seconds
        self.metrics = Metrics()

    def start(self) -> str:
        """Serve the metrics, where a port is named; what is wrong with that, or nothing."""
        try:
            address = metrics_address(self._settings)
            if address is not None:
                self.metrics.start(*address)
        except SettingsError as error:
            return error.message
        return ""

    def show(
        self,
        now: dt.datetime,
        *,
        pass_seconds: float,
        passes: int,
        failed_passes: int,
        not_looked_at: Sequence[NotLookedAt],
        incidents: Sequence[Incident],
        looked: Looked,
        alerts: Alerts,
        problem: str,
        can_tell: bool = True,
    ) -> Snapshot:
        """Make the snapshot of a pass, serve it and write it.

        Args:
            not_looked_at: What could not be looked at.
            incidents: Those that are open, from the ledger or the journal.
            looked: What the pass has read and seen.
            problem: What is wrong with alerts.yaml; empty where nothing is.
            can_tell: False where it has been wrong from the start: nobody is known to be told.

        Raises:
            OSError: The pages cannot be written; the metrics are served all the same.
        """
        looks = [*looks_of(one for one in not_looked_at if one.reason != problem)]
        gathered: Gathered | None = None
        # A ledger that the pass could not read would let this wait once more.
        if looked.ledger is not None and all(look.name != "ledger" for look in looks):
            try:
                with deadline(_LEDGER_SECONDS), self._connect() as connection:
                    gathered = gather(connection, looked.ledger, alerts, looked.symptoms, now)
                looks.append(Look("ledger", True))
            except (psycopg.Error, DeadlineError, ThreeGapsError) as error:
                looks.append(Look("ledger", False, "台账读不到", in_our_words(error)))
        zh, en = alerts_said(alerts, self._settings, problem, can_tell=can_tell)
        snapshot = Snapshot(
            taken_at=now,
            pass_seconds=pass_seconds,
            interval_seconds=self._interval_seconds,
            is_synthetic=self._settings.is_sandbox,
            looks=tuple(sorted(looks, key=lambda look: look.name)),
            feeds=None if gathered is None else gathered.feeds,
            incidents=incidents_seen(incidents),
            queue=None if gathered is None else gathered.queue,
            release=None if gathered is None else gathered.release,
            outbox=None if gathered is None else gathered.outbox,
            channels=() if gathered is None else gathered.channels,
            alerts_zh=zh,
            alerts_en=en,
            passes=passes,
            failed_passes=failed_passes,
        )
        self.metrics.update(snapshot)
        write_pages(snapshot, self._folder, self._settings.root / "docs")
        return snapshot


LOOKS = ("airflow", "disks", "ledger", "sandbox")
"""Where each pass looks; a look that is not named among what could not be had has been made."""


def looks_of(not_looked_at: Iterable[NotLookedAt]) -> Iterable[Look]:
    """The looks of a pass, by what it says that it could not look at."""
    missing: dict[str, list[tuple[str, str]]] = {}
    for one in not_looked_at:
        is_look = one.name in LOOKS
        missing.setdefault(one.name if is_look else "other", []).append(in_both(one.reason if is_look else str(one)))
    for name, said in missing.items():
        yield Look(name, False, ";".join(zh for zh, _ in said), "; ".join(en for _, en in said))
    for name in LOOKS:
        if name not in missing and name != "ledger":
            yield Look(name, True)


def alerts_said(alerts: Alerts, settings: Settings, problem: str, *, can_tell: bool = True) -> tuple[str, str]:
    """Why people cannot be told as meant, in Chinese and in English; empty where they can."""
    if problem:
        zh, en = in_both(problem)
        if not can_tell:
            return (
                f"告警配置有误,在改正之前不通知任何人:{zh}",
                f"alerts.yaml is wrong, nobody is told until it is mended: {en}",
            )
        return f"告警配置有误,沿用之前的配置:{zh}", f"alerts.yaml is wrong, what it said before holds: {en}"
    if alerts.is_absent:
        return "没有 alerts.yaml:不向任何人发送消息。", "There is no alerts.yaml: nobody is told anything."
    unset = unset_variables(alerts, settings.environment)
    if not unset:
        return "", ""
    names = ", ".join(sorted({name for variables in unset.values() for name in variables}))
    channels = ", ".join(unset)
    return (
        f"渠道 {channels} 缺环境变量 {names},消息在等。",
        f"Channels {channels} lack the environment variables {names}: their messages wait.",
    )
