"""What the watch has read, before anybody judges it: from the ledger, of Airflow, of the machine.

Readings are plain data, so that judgements (`threegaps.watch.looks`) are tried without any service.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from threegaps.airflow_api import PausedDag
from threegaps.ledger.attempts import Failing
from threegaps.ledger.expected import Standing
from threegaps.ledger.incidents import Incident


@dataclass(frozen=True, slots=True)
class OwedFeed:
    """A feed that owes deliveries, or parts of some, that are due.

    Args:
        feed: The feed.
        since: When the oldest of them was due.
        missing: Deliveries of which nothing has come, the oldest first.
        partly: Deliveries of which a part has come, the oldest first.
        counties: Codes of the counties that lack in deliveries that have come, by delivery.
        counties_owing: How many counties owe each of these deliveries.
    """

    feed: str
    since: dt.datetime
    missing: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()
    counties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counties_owing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoppedBatch:
    """The newest batch of a feed that was stopped or failed, and whose rows nothing has brought since."""

    feed: str
    delivery: str
    batch_id: int
    status: str
    stop_rule: str | None
    message_zh: str
    message_en: str
    finished_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LoadedDelivery:
    """A delivery as it was sent last, originals only, with the counts of its judgement.

    Args:
        is_accepted: It had been stopped since it shrank, and somebody has answered for it.
    """

    delivery: str
    batch_id: int
    received: int
    refused: int
    finished_at: dt.datetime
    is_accepted: bool = False


@dataclass(frozen=True, slots=True)
class FeedHistory:
    """The last loaded deliveries of a feed, the newest first."""

    feed: str
    delivery_kind: str
    deliveries: tuple[LoadedDelivery, ...]


@dataclass(frozen=True, slots=True)
class Sending:
    """One complete sending of a whole delivery, as it was judged last.

    Args:
        number: What it is known by, however often it is judged again: its number in the order of batches.
        rows: Its rows, duplicates left out.
        refused: How many of them were refused.
        gone: Rows that stood and that it lacks, or has refused.
        back: At least so many rows that an earlier sending had taken away it has brought back.
        is_meant: Somebody has said that it is meant as it is.
    """

    number: int
    batch_id: int
    rows: int
    refused: int
    gone: int
    back: int
    finished_at: dt.datetime
    is_meant: bool


@dataclass(frozen=True, slots=True)
class SentAgain:
    """A whole delivery of which several complete sendings are loaded, the oldest first."""

    feed: str
    delivery: str
    sendings: tuple[Sending, ...]


@dataclass(frozen=True, slots=True)
class FailedBuild:
    """The last build, which failed, and those before it since the last that did not.

    Args:
        is_held: A check has held its release.
        message: What it, or the check, said.
        is_taken_up: A newer build has its work in hand: whether it fails still is not known.
    """

    build_id: int
    is_held: bool
    message: str
    builds: int
    failing_since: dt.datetime
    is_taken_up: bool = False


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """Loaded batches that no build has in hand."""

    batches: int
    feeds: tuple[str, ...]
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """All that is read of the ledger in one pass.

    Args:
        judged_at: The moment by which deliveries are judged: the sandbox has its own, else now.
        standing: How feeds stand by what they owe.
        owed: What those owe that are late.
        failed: Steps of feeds that fail now.
        attempted: When landing or loading of feeds was tried last, whatever came of it.
        pending: Batches that no released build has consumed.
        is_being_set_up: Whether this is a new installation: what has not come yet is no incident.
        names: Of feeds, in Chinese and in English, as far as they are known.
        mended_at: When an incident that stops everything (Airflow, the warehouse) was closed last.
        sandbox_mended_at: When the sandbox's servers last came back.
        just_closed: Incidents that held feeds up, and were closed a moment ago.
    """

    judged_at: dt.datetime
    standing: tuple[Standing, ...] = ()
    owed: tuple[OwedFeed, ...] = ()
    failed: tuple[Failing, ...] = ()
    attempted: Mapping[str, dt.datetime] = field(default_factory=dict)
    stopped: tuple[StoppedBatch, ...] = ()
    histories: tuple[FeedHistory, ...] = ()
    sent_again: tuple[SentAgain, ...] = ()
    build: FailedBuild | None = None
    waiting: WaitingWork | None = None
    pending: tuple[int, ...] = ()
    is_being_set_up: bool = False
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    mended_at: dt.datetime | None = None
    sandbox_mended_at: dt.datetime | None = None
    just_closed: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class NotLookedAt:
    """What a pass could not look at.

    Args:
        name: What; empty where the reason says so.
        reason: Why, in our words.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.name else self.reason


@dataclass(frozen=True, slots=True)
class UnreadLedger:
    """Why the ledger of a warehouse that answers could not be read or kept.

    Args:
        why: ``right``: the role lacks one; ``missing``: what is asked for is not there; ``locked``: another session
            keeps it; ``slow``: it takes longer than a pass may; ``other``.
        said: The same in our words, with the relations that are concerned.
        question: Which of our questions it was, by its function; empty where no single one was.
    """

    why: Literal["right", "missing", "locked", "slow", "other"]
    said: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class WarehouseReading:
    """Whether PostgreSQL answers; *said* is in our words where it does not.

    Args:
        unread: Why the ledger could not be read although it answers; None where it could.
    """

    address: str
    answers: bool
    said: str = ""
    unread: UnreadLedger | None = None


AIRFLOW_PARTS = ("scheduler", "dag_processor", "triggerer")
"""The parts of Airflow whose hearts its API tells of, as it names them."""


@dataclass(frozen=True, slots=True)
class AirflowReading:
    """What Airflow's API says of its parts, when it answers in time.

    Args:
        address: Where it was asked.
        answers: Whether it answered in time.
        seconds: How long that took.
        parts: State of each part: ``healthy``, ``unhealthy``; a part that it says nothing of is left out.
        beats: When each part beat last, as far as it says.
    """

    address: str
    answers: bool
    seconds: float
    parts: Mapping[str, str] = field(default_factory=dict)
    beats: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceReading:
    """A service of one machine as its supervisor accounts for it."""

    name: str
    state: str
    process_id: int | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class DiskReading:
    """Room on one file system.

    Args:
        names: What lies there, by the names of settings: ``home``, ``landing``, ``postgres``.
        path: Where it was asked.
        total_bytes: Its size.
        free_bytes: What may still be written.
        least_free_bytes: What is asked to be free.
    """

    names: tuple[str, ...]
    path: str
    total_bytes: int
    free_bytes: int
    least_free_bytes: int


@dataclass(frozen=True, slots=True)
class ServerReading:
    """Whether a server of the sandbox answers.

    Args:
        address: Host and port, written ``host:port``.
        connections: How the ids of the connections end that lead to it, as the contracts of the sandbox's departments
            name them.
    """

    name: str
    address: str
    answers: bool
    connections: str = ""


@dataclass(frozen=True, slots=True)
class MachineReading:
    """All that is read around the ledger in one pass; None is what was not looked at.

    Args:
        paused: The DAGs that are paused in Airflow, by their ids.
    """

    warehouse: WarehouseReading | None = None
    airflow: AirflowReading | None = None
    services: tuple[ServiceReading, ...] | None = None
    disks: tuple[DiskReading, ...] | None = None
    sandbox: tuple[ServerReading, ...] | None = None
    paused: Mapping[str, PausedDag] | None = None
