"""What one pass of the watch saw: what its pages and metrics are made of.

Plain data, made once in a pass and then only read: neither a scrape nor a page asks the warehouse. Nothing in it was
received: feeds, areas and kinds are the system's own codes, causes and messages its own words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from threegaps import labels
from threegaps.ledger.expected import QUIET_STATES
from threegaps.watch.heartbeat import INTERVAL_SECONDS

FEED_STATES: tuple[str, ...] = tuple(labels.FEED_STATES)
"""How a feed stands, the gravest first; a feed that stands in several ways is counted by the gravest of them."""


@dataclass(frozen=True, slots=True)
class Look:
    """Whether the watch could look at something in this pass.

    Args:
        name: What it looks at: one of `threegaps.watch.showing.LOOKS`, or ``other``.
        could_look: False says "cannot tell", never "no incident".
        reason_zh: Why it could not, in our words; empty where it could.
        reason_en: The same in English.
    """

    name: str
    could_look: bool
    reason_zh: str = ""
    reason_en: str = ""


@dataclass(frozen=True, slots=True)
class FeedSeen:
    """How a feed stands.

    Args:
        feed: ``department/feed``.
        states: All ways in which it stands, of `FEED_STATES`; the gravest is `state`.
        newest_delivery: Key of the newest delivery that is loaded; None before the first.
        newest_loaded_at: When that delivery was loaded.
        due_delivery: Key of the newest delivery that is due; None where none is.
        due_on: The day on which that delivery was due.
        late_delivery: Key of the oldest delivery that is late; None where none is.
        late_since: The day on which that one was due, or on which the feed became known here, if later.
        deliveries_late: How many are late.
        days_late: Whole days since `late_since`; 0 where nothing is late.
        counties_missing: How many counties lack in deliveries that have come.
        received_rows: Rows received with the newest delivery; None before the first.
        refused_rows: Rows of it that were refused.
        open_refusals: Refused rows of all deliveries that nothing has closed.
        last_attempt_at: When landing or loading was last tried, whatever came of it; None where it never was.
        last_cause: Code of the cause why a step of it fails (`labels.CAUSES`); None where none does.
        last_words_zh: What is known of that, in plain words.
        last_words_en: The same in English.
    """

    feed: str
    department: str
    title_zh: str
    title_en: str
    states: tuple[str, ...]
    newest_delivery: str | None = None
    newest_loaded_at: dt.datetime | None = None
    due_delivery: str | None = None
    due_on: dt.date | None = None
    late_delivery: str | None = None
    late_since: dt.date | None = None
    deliveries_late: int = 0
    days_late: int = 0
    counties_missing: int = 0
    received_rows: int | None = None
    refused_rows: int | None = None
    open_refusals: int = 0
    last_attempt_at: dt.datetime | None = None
    last_cause: str | None = None
    last_words_zh: str = ""
    last_words_en: str = ""

    @property
    def state(self) -> str:
        """The gravest of its states."""
        return min(self.states, key=FEED_STATES.index, default="cannot_tell")

    @property
    def is_quiet(self) -> bool:
        """Whether nobody need look at it."""
        return self.state in QUIET_STATES

    @property
    def refused_share(self) -> float | None:
        """Refused rows of the newest delivery by received ones, 0 to 1; None where nothing was received."""
        if not self.received_rows or self.refused_rows is None:
            return None
        return self.refused_rows / self.received_rows

    def as_data(self) -> dict[str, Any]:
        """The same by name, as ``status.json`` and `threegaps status --json` have it."""
        return {**asdict(self), "state": self.state, "refused_share": self.refused_share}


def state_of_all(gravities: Iterable[str], feeds: Iterable[FeedSeen], *, has_problems: bool = False) -> str:
    """``critical``, ``warning`` or ``fine``: what `threegaps status` says with its exit code, and the page at its top.

    Args:
        gravities: Of what somebody should look at.
        feeds: One that does not stand well is a warning, though no incident tells of it yet.
        has_problems: Whether anything else is wrong, or could not be looked at: that may be anything.
    """
    gravities = list(gravities)
    if "critical" in gravities:
        return "critical"
    return "warning" if gravities or has_problems or not all(feed.is_quiet for feed in feeds) else "fine"


@dataclass(frozen=True, slots=True)
class IncidentSeen:
    """An incident that is open, from the ledger or, while the warehouse is down, from the local journal.

    Args:
        incident_id: Its number; None while it stands in the journal only.
        command: What to type to see more.
        runbook: The section of the runbook that says what to do.
    """

    incident_id: int | None
    cause_key: str
    kind: str
    gravity: str
    title_zh: str
    title_en: str
    opened_at: dt.datetime
    detail_zh: str = ""
    detail_en: str = ""
    feed: str | None = None
    department: str | None = None
    acknowledged_by: str | None = None
    assigned_to: str | None = None
    indicator_codes: tuple[str, ...] = ()
    marts: tuple[str, ...] = ()
    command: str = ""
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """Work that waits for a build.

    Args:
        pending_batches: Loaded batches that no released build has consumed.
        oldest_since: When the oldest of them was loaded.
    """

    pending_batches: int = 0
    oldest_since: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ReleaseSeen:
    """The release that serves."""

    release_id: int
    released_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OutboxSeen:
    """Messages that wait or were given up.

    Args:
        waiting: Due or not yet due.
        oldest_due_at: Since when the longest waiting of those that are due has been due.
        given_up: Given up within the last seven days.
    """

    waiting: int = 0
    oldest_due_at: dt.datetime | None = None
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """How a channel of alerts.yaml does.

    Args:
        is_refused: It refuses in a way that does not heal by itself: somebody must mend its settings.
        words_zh: What it last said, in our words with code numbers only; empty where it took the last message.
        refused_messages: Messages that alone were refused, and wait or were given up within the last seven days.
        refused_cause: Why the last of them was.
    """

    name: str
    kind: str
    is_refused: bool = False
    words_zh: str = ""
    words_en: str = ""
    refused_messages: int = 0
    refused_cause: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one pass of the watch saw.

    What could not be looked at is None, and `looks` says so: "cannot tell" is never "nothing".

    Args:
        taken_at: When the pass ended.
        pass_seconds: How long it took.
        interval_seconds: After how many seconds the next pass begins.
        is_synthetic: The departments behind the feeds are the sandbox's.
        looks: What it looked at.
        feeds: All feeds; None where the ledger could not be read.
        incidents: All open incidents; from the journal where the ledger could not be read.
        alerts_zh: Why nothing can be sent at all, or what is wrong with alerts.yaml; empty where nothing is.
    """

    taken_at: dt.datetime
    pass_seconds: float
    interval_seconds: float = INTERVAL_SECONDS
    is_synthetic: bool = False
    looks: tuple[Look, ...] = ()
    feeds: tuple[FeedSeen, ...] | None = None
    incidents: tuple[IncidentSeen, ...] = ()
    queue: Queue | None = None
    release: ReleaseSeen | None = None
    outbox: OutboxSeen | None = None
    channels: tuple[ChannelSeen, ...] = ()
    alerts_zh: str = ""
    alerts_en: str = ""
    passes: int = field(default=1)
    failed_passes: int = field(default=0)
