"""One look at everything: what was read, the causes that are seen in it, and what could not be looked at."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from threegaps.ledger.attempts import Failing
from threegaps.ledger.incidents import Cause, Incident
from threegaps.watch.explaining import explained
from threegaps.watch.kinds import KINDS, SETTLING
from threegaps.watch.looks import airflow, attempts, batches, builds, deliveries, machine
from threegaps.watch.reading_ledger import SANDBOX_KEY
from threegaps.watch.reading_machine import SANDBOX_HOST
from threegaps.watch.readings import LedgerReading, MachineReading, NotLookedAt


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look came to.

    Args:
        causes: What is seen and stands by itself.
        kinds: Kinds that could be looked at.
        unseen: Keys of causes that could not, although others of their kind could.
        not_looked_at: What could not.
        symptoms: All that is seen, what is explained by something else too.
        ledger: What was read of the ledger; None where it could not be.
    """

    causes: tuple[Cause, ...]
    kinds: frozenset[str]
    not_looked_at: tuple[NotLookedAt, ...] = ()
    symptoms: tuple[Cause, ...] = ()
    ledger: LedgerReading | None = None
    unseen: frozenset[str] = frozenset()

    def could_see(self, incident: Incident) -> bool:
        """Whether the cause of *incident* would have been seen, were it there: of the others nothing is known."""
        return incident.kind in self.kinds and incident.cause_key not in self.unseen


def look(
    around: MachineReading,
    ledger: LedgerReading | None,
    now: dt.datetime,
    *,
    standing: Sequence[Incident] = (),
    not_looked_at: tuple[NotLookedAt, ...] = (),
) -> Looked:
    """Judge what was read.

    Args:
        around: What was read around the ledger.
        ledger: What was read of the ledger; None where it could not be read.
        now: The instant of the pass.
        standing: Incidents that are open.
        not_looked_at: Why something could not be read.
    """
    causes: list[Cause] = [
        *machine.warehouse(around.warehouse),
        *machine.ledger(around.warehouse),
        *machine.disks(around.disks),
        *airflow.seen(around.airflow, around.services),
    ]
    read = {
        "warehouse": around.warehouse is not None,
        "session": around.warehouse is not None and around.warehouse.answers,
        "airflow": around.airflow is not None,
        "disks": around.disks is not None,
        "ledger": ledger is not None,
    }
    is_settling = False
    just_closed: list[Incident] = []
    sandbox = machine.sandbox(around.sandbox)
    unseen = {SANDBOX_KEY} if around.sandbox is None else set()
    if ledger is not None:
        is_settling = ledger.is_being_set_up or (ledger.mended_at is not None and now - ledger.mended_at < SETTLING)
        # As long as nobody can say whether the sandbox is silent still, what is late behind it is given time.
        is_settling = is_settling or (around.sandbox is None and SANDBOX_KEY in {one.cause_key for one in standing})
        just_closed = [one for one in ledger.just_closed if one.closed_at and now - one.closed_at < SETTLING]
        causes += _of_ledger(ledger, around, now)
        unseen |= {cause.key for cause in attempts.seen(_undecided(ledger, around), ledger.names, now)}
        if ledger.build is not None and ledger.build.is_taken_up:
            unseen |= {cause.key for cause in builds.failed(ledger.build, now)}
        sandbox = [_with_feeds(cause, ledger, around) for cause in sandbox]
    causes += sandbox
    by_themselves = explained(causes, standing=standing, just_closed=just_closed, is_settling=is_settling)
    return Looked(
        tuple(by_themselves),
        frozenset(name for name, kind in KINDS.items() if read[kind.seen_in]),
        not_looked_at,
        tuple(causes),
        ledger,
        frozenset(unseen - {cause.key for cause in causes}),
    )


def _of_ledger(ledger: LedgerReading, around: MachineReading, now: dt.datetime) -> list[Cause]:
    names = ledger.names
    return [
        *deliveries.seen(ledger.owed, names, ledger.judged_at, around.paused),
        *attempts.seen(
            [
                one
                for one in ledger.failed
                if not _may_be_sandbox(one, around)
                and not _lies_with_sandbox(one.host, one.port, one.last_at, ledger, around)
            ],
            names,
            now,
        ),
        *batches.stopped(ledger.stopped, names, now),
        *batches.shrinking(ledger.histories, names),
        *batches.rows_gone(ledger.sent_again, ledger.histories, names),
        *batches.refused_share(ledger.histories, names),
        # Whether its work fails still the build that has taken it up will say.
        *(builds.failed(ledger.build, now) if ledger.build is None or not ledger.build.is_taken_up else ()),
        *builds.waiting(ledger.waiting, now),
    ]


def _undecided(ledger: LedgerReading, around: MachineReading) -> list[Failing]:
    """Attempts of which nobody can say whether they failed for themselves, or for a sandbox that is silent."""
    return [one for one in ledger.failed if _may_be_sandbox(one, around)]


def _may_be_sandbox(one: Failing, around: MachineReading) -> bool:
    return around.sandbox is None and one.host == SANDBOX_HOST


def _lies_with_sandbox(
    host: str | None, port: int | None, tried_at: dt.datetime, ledger: LedgerReading, around: MachineReading
) -> bool:
    """Whether an attempt failed because the sandbox's server does not answer, or did not until it came back."""
    for server in around.sandbox or ():
        if server.address == f"{host}:{port}":
            return not server.answers or (ledger.sandbox_mended_at is not None and tried_at < ledger.sandbox_mended_at)
    return False


def _with_feeds(cause: Cause, ledger: LedgerReading, around: MachineReading) -> Cause:
    """The cause with all feeds that come by what is silent, whether they have been tried since or not."""
    silent = [server for server in around.sandbox or () if not server.answers]
    addresses = {server.address for server in silent}
    endings = tuple(server.connections for server in silent if server.connections)
    feeds = {one.feed for one in ledger.failed if f"{one.host}:{one.port}" in addresses}
    feeds |= {one.feed for one in ledger.standing if (one.connection_id or "").endswith(endings)}
    return dataclasses.replace(cause, feeds=tuple(sorted(feeds)))
