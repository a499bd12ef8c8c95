"""The watch: looks, keeps incidents, has people told, and beats; one pass every quarter of a minute, for ever.

It needs nothing of what it watches: while PostgreSQL is down it keeps a journal, while a disk is full it goes on
without, and what goes wrong in one pass does not end it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import os
import signal
import socket
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg

from threegaps.errors import kind_of
from threegaps.ledger import attempts, outbox
from threegaps.ledger import incidents as ledger
from threegaps.ledger.incidents import Cause, Incident
from threegaps.settings import SHANGHAI, Settings
from threegaps.standards import visible
from threegaps.standards.moments import clock
from threegaps.watch import heartbeat, journal, reading_ledger, reading_machine
from threegaps.watch.asking import ask_ledger
from threegaps.watch.changes import enter_change
from threegaps.watch.composing import incident_message
from threegaps.watch.deadlines import DeadlineError, deadline
from threegaps.watch.journal import Journal, Posted
from threegaps.watch.looking import Looked, look
from threegaps.watch.reading_machine import in_our_words
from threegaps.watch.readings import LedgerReading, MachineReading, NotLookedAt, WarehouseReading
from threegaps.watch.reconciling import Decisions, reconcile
from threegaps.watch.sending import follow_clock
from threegaps.watch.showing import LOOKS, Showing
from threegaps.watch.telling import FromFile, Telling
from threegaps.watch.told import Told
from threegaps.watch.trying import PASS_SECONDS, work_off

_SENDING_SECONDS = 60.0
_SHOWING_SECONDS = 40.0
_ANOTHER = "another watch of this home is at work: this one keeps nothing and tells nobody"
_ANOTHER_HERE = "another watch is at work here"
# Only one watch of a warehouse decides at a time; any number that nothing else in the warehouse takes.
_LOCK = 7_237_020_015


class Watch:
    """One watch of one installation.

    Args:
        settings: Which installation.
        telling: Says at each pass who is told, and how; by default alerts.yaml does.
    """

    def __init__(self, settings: Settings, telling: Callable[[], Telling] | None = None) -> None:
        self.settings = settings
        self.folder = heartbeat.watch_folder(settings)
        self.told = Told(self.folder)
        self._ask_telling = telling or FromFile(settings, self.told)
        self.telling = Telling()
        self._was_held_off = False
        self._unlock: Callable[[], object] | None = None
        self.journal = journal.load(self.folder, self.told)
        self.passes = 0
        self.failed_passes = 0
        self._said: dict[str, str] = {}
        if self.journal.problem:
            self._put_journal_aside(self.journal.problem)
        self.showing = Showing(
            settings,
            self.folder,
            lambda: reading_machine.connect(settings),
            interval_seconds=heartbeat.INTERVAL_SECONDS,
        )

    def run(self) -> int:
        """Pass after pass until a signal asks to stop; the exit code."""
        stop = _Stop()
        if problem := self.showing.start():
            self._say("metrics", problem)
        while not stop.is_asked:
            started = time.monotonic()
            try:
                self.once(dt.datetime.now(SHANGHAI))
                self._is_well("pass")
            except Exception as error:  # noqa: BLE001  # whatever it is, the next pass may do better
                why = NotLookedAt("watch", f"a pass failed: {in_our_words(error)}")
                self._fail(why, time.monotonic() - started)
            stop.wait(heartbeat.INTERVAL_SECONDS - (time.monotonic() - started))
        return 0

    def once(self, now: dt.datetime) -> Looked:
        """One pass: read, judge, keep, tell, beat; what was seen."""
        started = time.monotonic()
        self.telling = self._ask_telling()
        # First of all: what else is asked takes longer while the warehouse is silent, and how long it was decides.
        silence = reading_machine.silence(self.settings)
        silent_at = now + dt.timedelta(seconds=time.monotonic() - started)
        around, missing = reading_machine.read_around(self.settings, silence)
        problems = {"journal": self.journal.problem, "": self.telling.problem}
        missing = (*missing, *(NotLookedAt(name, problem) for name, problem in problems.items() if problem))
        if not self._is_the_one():
            self._say("alone", _ANOTHER)
            return self._only_look(around, (*missing, NotLookedAt("", _ANOTHER)), now)
        self._is_well("alone")
        missing = (*missing, *self._lost_notes())
        if silence is None:
            looked = self._with_ledger(around, missing, now, started)
        else:
            missing = (*missing, NotLookedAt("ledger", silence.said))
            looked = self._in_journal(around, missing, silent_at, opened_at=now)
        self.passes += 1
        self.told.forget_old(now)
        beat = heartbeat.Heartbeat(
            pid=os.getpid(),
            at=dt.datetime.now(SHANGHAI),
            pass_seconds=round(time.monotonic() - started, 2),
            passes=self.passes,
            not_looked_at=[str(one) for one in looked.not_looked_at],
        )
        with self._without_disk("heartbeat"):
            heartbeat.beat(self.settings, beat)
        self._show(beat, looked)
        return looked

    def _lost_notes(self) -> tuple[NotLookedAt, ...]:
        """What of the notes of what was sent cannot be read or written, each also said in the log, once."""
        lost, self.told.loss = self.told.loss, ""
        if lost:
            self.told.mend()
        found = tuple(NotLookedAt("told.jsonl", one) for one in (lost, self.told.problem) if one)
        for one in found:
            self._say("told", str(one))
        if not found:
            self._is_well("told")
        return found

    def _fail(self, why: NotLookedAt, pass_seconds: float) -> None:
        """Beat and show that a pass failed: a watch that goes on failing does not hang, and people are to see why."""
        self.failed_passes += 1
        self._say("pass", str(why))
        beat = heartbeat.Heartbeat(
            pid=os.getpid(),
            at=dt.datetime.now(SHANGHAI),
            pass_seconds=round(pass_seconds, 2),
            passes=self.passes,
            not_looked_at=[str(why)],
        )
        if self._was_held_off and self._unlock is None:
            return
        with self._without_disk("heartbeat"):
            heartbeat.beat(self.settings, beat)
        # Of such a pass nothing is known; what made it fail is not asked again.
        unknown = (why, *(NotLookedAt(name, "the pass failed") for name in LOOKS))
        try:
            self._show(beat, Looked((), frozenset(), unknown))
        except Exception as error:  # noqa: BLE001  # the next pass may do better
            self._say("page", f"the page cannot be made: {in_our_words(error)}")

    def close(self) -> None:
        """Leave the home to another watch."""
        if self._unlock is not None:
            self._unlock()
            self._unlock = None

    def _is_the_one(self) -> bool:
        """Whether this is the watch of its home that keeps and tells; the system ends the lock with its process.

        Where the file cannot be made nobody can hold it: a full disk keeps nobody from telling.
        """
        if self._unlock is not None:
            return True
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            opened = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
        except OSError as error:
            self._say("lock", f"the lock cannot be written: {error.strerror or kind_of(error)}")
            return True
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            self._was_held_off = True
            return False
        self._unlock = weakref.finalize(self, os.close, opened)
        if self._was_held_off:
            # Another has been at work until now.
            self.told.load()
            self.journal = journal.load(self.folder, self.told)
        return True

    def _only_look(self, around: MachineReading, missing: tuple[NotLookedAt, ...], now: dt.datetime) -> Looked:
        """What is seen, with nothing kept and nobody told."""
        asked = ask_ledger(self.settings, lambda one: (reading_ledger.read(one), ledger.open_incidents(one)))
        reading, standing = asked.answer or (None, [])
        around = dataclasses.replace(around, warehouse=asked.warehouse)
        return look(around, reading, now, standing=standing, not_looked_at=(*missing, *asked.missing))

    def _show(self, beat: heartbeat.Heartbeat, looked: Looked) -> None:
        """The page and the metrics of a pass."""
        with self._without_disk("page"), deadline(_SHOWING_SECONDS):
            self.showing.show(
                beat.at,
                pass_seconds=beat.pass_seconds,
                passes=beat.passes,
                failed_passes=self.failed_passes,
                not_looked_at=looked.not_looked_at,
                incidents=list(self.journal.open),
                looked=looked,
                alerts=self.telling.alerts,
                problem=self.telling.problem,
                can_tell=self.telling.can_tell,
            )

    def _with_ledger(
        self, around: MachineReading, missing: tuple[NotLookedAt, ...], now: dt.datetime, started: float
    ) -> Looked:
        def ask(connection: psycopg.Connection[Any]) -> Looked:
            # Upkeep does so, too, where Airflow runs.
            attempts.mark_cut_off(connection)
            answering = WarehouseReading(reading_machine.warehouse_address(self.settings), answers=True)
            reading = reading_ledger.read(connection)
            return self._in_ledger(connection, dataclasses.replace(around, warehouse=answering), reading, missing, now)

        def at() -> dt.datetime:
            return now + dt.timedelta(seconds=time.monotonic() - started)

        asked_at = at()
        asked = ask_ledger(self.settings, ask)
        if asked.answer is not None:
            self._send(now)
            return asked.answer
        around = dataclasses.replace(around, warehouse=asked.warehouse)
        return self._in_journal(around, (*missing, *asked.missing), at(), opened_at=asked_at)

    def _send(self, now: dt.datetime) -> None:
        """Work the outbox off; what the warehouse has to say about it is the next pass's affair."""
        # A warehouse that is slow to let anybody in takes of the same time: what is begun is to be noted in it.
        until = time.monotonic() + PASS_SECONDS
        try:
            with deadline(_SENDING_SECONDS), reading_machine.connect(self.settings) as connection:
                self.telling.send(connection, now, until)
            self._is_well("sending")
        except (psycopg.Error, DeadlineError) as error:
            self._say("sending", f"messages could not be sent: {in_our_words(error)}")

    def _in_ledger(
        self,
        connection: psycopg.Connection[Any],
        around: MachineReading,
        reading: LedgerReading,
        missing: tuple[NotLookedAt, ...],
        now: dt.datetime,
    ) -> Looked:
        with connection.transaction():
            row = connection.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK]).fetchone()
            if not (row and row[0]):
                return look(around, reading, now, not_looked_at=(*missing, NotLookedAt("", _ANOTHER_HERE)))
            ledger.hold_open(connection)
            standing = ledger.open_incidents(connection)
            if journal.close_ended(connection, self.journal, standing, self.told):
                standing = ledger.open_incidents(connection)
            if self.journal.is_ahead or not_known(self.journal, standing):
                missing = (*missing, *self._enter_journal(connection, now))
                standing = ledger.open_incidents(connection)
            looked = look(around, reading, now, standing=standing, not_looked_at=missing)
            resolved = ledger.resolved_by_hand(connection, now)
            decisions = reconcile(standing, looked.causes, could_see=looked.could_see, now=now, resolved=resolved)
            # Whoever resolves one, by the page or a command, may have no right on the outbox.
            for incident_id in outbox.resolved_and_untold(connection):
                self._enter_messages(connection, incident_id, "closed", now)
            self._keep(connection, self._tellable(decisions), now)
            follow_clock(connection, now)
            ledger.note_compared(connection, now)
            kept = ledger.open_incidents(connection)
        still = {one.cause_key for one, _ in decisions.muted}
        self.journal = journal.mirror(
            kept, [dataclasses.replace(one, last_seen_at=now) for one in resolved if one.cause_key in still]
        )
        with self._without_disk("journal"):
            journal.save(self.folder, self.journal)
        return looked

    def _enter_journal(self, connection: psycopg.Connection[Any], now: dt.datetime) -> tuple[NotLookedAt, ...]:
        """Enter the journal into the ledger; what it says that can never be entered is put aside, and that is said."""
        try:
            with connection.transaction():
                for incident_id in journal.enter_journal(connection, self.journal, self.told):
                    # Channels that the journal did not know of: their opening was entered, and had not gone out.
                    self._enter_messages(connection, incident_id, "closed", now)
        except Exception as error:
            is_of_journal = isinstance(error, psycopg.DataError | psycopg.IntegrityError)
            if isinstance(error, psycopg.Error | DeadlineError) and not is_of_journal:
                raise
            self._put_journal_aside(f"it cannot be entered: {in_our_words(error)}")
            return (NotLookedAt("journal", self.journal.problem),)
        return ()

    def _put_journal_aside(self, problem: str) -> None:
        where = "it is kept as journal.json.damaged" if journal.put_aside(self.folder) else "it cannot be put aside"
        self.journal = journal.rebuilt(self.told, f"{problem}; {where}")
        self._say("aside", f"journal: {self.journal.problem}")

    def _tellable(self, decisions: Decisions) -> Decisions:
        """Where nobody knows who is to be told, what is to be told waits until alerts.yaml is mended."""
        return decisions if self.telling.can_tell else dataclasses.replace(decisions, told=())

    def _keep(self, connection: psycopg.Connection[Any], decisions: Decisions, now: dt.datetime) -> None:
        """Enter what was decided, with the messages about it."""
        for cause in decisions.opened:
            ledger.open_incident(connection, cause, at=now)
        for incident, cause in (*decisions.seen, *decisions.muted):
            ledger.see_again(connection, incident, cause, at=now)
        for incident, cause in decisions.worsened:
            ledger.worsen(connection, incident.incident_id, cause.gravity, at=now)
        for incident, _ in decisions.told:
            ledger.announce(connection, incident.incident_id, at=now)
        for incident in decisions.closed:
            ledger.close(connection, incident.incident_id, by=ledger.WATCH, why=journal.GONE, at=now)
        for incident, change in decisions.changes_to_tell():
            self._enter_messages(connection, incident.incident_id, change, now)

    def _enter_messages(
        self, connection: psycopg.Connection[Any], incident_id: int, change: str, now: dt.datetime
    ) -> None:
        incident = ledger.find_incident(connection, incident_id)
        enter_change(connection, self.telling, incident, change, now, is_synthetic=self.settings.is_sandbox)

    def _messages(self, incident: Incident, change: str, now: dt.datetime) -> list[Posted]:
        """The messages of the journal on one change, one for each channel that it is told by."""
        told = [
            *(note.channel for note in self.told.of_incident(incident.cause_key, incident.opened_at)),
            *(one.channel for one in self.journal.posted if one.is_of(incident)),
        ]
        return [
            Posted(
                message=incident_message(
                    incident,
                    change,
                    way.channel_name,
                    is_synthetic=self.settings.is_sandbox,
                    now=now,
                    # Two homes on one warehouse cannot know of each other now: each tells, and says who it is.
                    teller=f"{socket.gethostname()}:{self.settings.home}",
                ),
                channel=way.channel_name,
                cause_key=incident.cause_key,
                opened_at=incident.opened_at,
                send_after=way.send_after,
                created_at=now,
            )
            for way in self.telling.ways(incident, change, now, told=told)
        ]

    def _in_journal(
        self, around: MachineReading, missing: tuple[NotLookedAt, ...], now: dt.datetime, *, opened_at: dt.datetime
    ) -> Looked:
        """As `_in_ledger`, in the local file, with messages going to their channels at once.

        Args:
            now: When the question to the ledger was given up: until then its cause was there.
            opened_at: When it was asked: since then, at the latest, it is.
        """
        standing = self.journal.open
        looked = look(around, None, now, standing=standing, not_looked_at=missing)
        seen = {cause.key for cause in looked.causes}
        journal.forget_gone(self.journal, seen, now, could_see=looked.could_see)
        decisions = reconcile(
            standing, looked.causes, could_see=looked.could_see, now=now, resolved=self.journal.resolved
        )
        decisions = self._tellable(decisions)
        journal.keep(self.journal, decisions, now, opened_at=opened_at)
        kept = {(one.cause_key, one.opened_at): one for one in self.journal.incidents}
        for incident, change in decisions.changes_to_tell():
            self.journal.posted += self._messages(kept[incident.cause_key, incident.opened_at], change, now)
        with self._without_disk("journal"):
            journal.save(self.folder, self.journal)
        work_off(
            self.journal,
            self.telling.channels,
            now,
            self.told,
            noted=self._noted,
            give_up_after=self.telling.alerts.give_up_after,
        )
        return looked

    def _noted(self, channel: str, said: str) -> None:
        """Keep what became of a try before the next one."""
        if said:
            self._say(channel, f"{channel}: {said}")
        else:
            self._is_well(channel)
        with self._without_disk("journal"):
            journal.save(self.folder, self.journal)

    @contextlib.contextmanager
    def _without_disk(self, what: str) -> Iterator[None]:
        """A disk that is full does not end the watch: it is what it has to tell of."""
        try:
            yield
            self._is_well(what)
        except (OSError, DeadlineError) as error:
            self._say(what, f"the {what} cannot be written: {in_our_words(error)}")

    def _is_well(self, about: str) -> None:
        """Nothing is wrong with this any more: when something is again, that is said."""
        self._said.pop(about, None)

    def _say(self, about: str, line: str) -> None:
        """A line in the log, once as long as it stays the same and what it is about is not well again."""
        if self._said.get(about) != line:
            self._said[about] = line
            # The log lies on a disk, too.
            with contextlib.suppress(OSError):
                visible.say(f"{clock(dt.datetime.now(SHANGHAI), with_seconds=True)} {line}", is_error=True)


def not_known(book: Journal, standing: Sequence[Incident]) -> bool:
    """Whether the journal has an open incident that does not stand open in the ledger: one that somebody has resolved
    since, or of which a ledger that was restored from a backup does not know."""
    known = {(one.cause_key, one.opened_at) for one in standing}
    return any((one.cause_key, one.opened_at) not in known for one in book.open)


class _Stop:
    """Whether a signal has asked to stop."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        self.is_asked = True

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until a signal comes."""
        until = time.monotonic() + seconds
        while not self.is_asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))


def causes_of(looked: Looked) -> Sequence[Cause]:
    """What is seen, the gravest first."""
    return sorted(looked.causes, key=lambda cause: (cause.gravity == "warning", cause.key))
