"""The kinds of incidents: all that is known of a kind before anything is seen of it.

What a kind is called stands in `threegaps.labels.INCIDENT_KINDS`, a layer below; docs/architecture.md says how one is
added.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Reading = Literal["warehouse", "session", "airflow", "disks", "ledger"]
"""``session`` is one with a warehouse that answers, whether its ledger can be read or not."""
QUIET = dt.timedelta(seconds=60)
"""A cause has gone when it has not been seen for so long: what flickers is one incident."""
SETTLING = dt.timedelta(minutes=15)
"""For so long after what held it up is over, what is late or waits is given time."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of incident.

    Args:
        runbook: The heading in docs/runbook.md that says what to do.
        command: What shows more of it; ``{feed}``, ``{of_feed}`` and ``{owed}`` are the feed, the option that names it
            and what it owes, where one feed alone is concerned.
        seen_in: What has to be read for it to be seen: a pass that could not closes none of this kind.
        feed_state: How a feed stands of which it is seen, a code of `threegaps.labels.FEED_STATES`.
        explains: Kinds that need no incident of their own while this one is there.
        of_its_feeds: It explains them of its own feeds only.
        waits: It waits some minutes after what stopped everything is over, and a day in a new installation.
        gone_after: Its cause has gone when it has not been seen for so long.
    """

    runbook: str
    command: str
    seen_in: Reading = "ledger"
    feed_state: str | None = None
    explains: frozenset[str] = frozenset()
    of_its_feeds: bool = True
    waits: bool = False
    gone_after: dt.timedelta = QUIET


_LATE = frozenset({"feed_late", "feed_incomplete"})
_WAITING = frozenset({"work_waiting"})

KINDS: Mapping[str, Kind] = {
    "warehouse_down": Kind(
        "The warehouse does not answer",
        "threegaps doctor",
        seen_in="warehouse",
        explains=frozenset({"airflow_down"}),
        of_its_feeds=False,
    ),
    "ledger_unreadable": Kind(
        "The ledger cannot be read",
        "threegaps doctor",
        seen_in="session",
        # Longer than two slow passes take: a ledger that can be read now and then is one incident.
        gone_after=dt.timedelta(minutes=5),
    ),
    "airflow_down": Kind(
        "Airflow is down", "threegaps status --all", seen_in="airflow", explains=_LATE | _WAITING, of_its_feeds=False
    ),
    "disk_filling": Kind("The disk is full", "threegaps doctor", seen_in="disks"),
    "feed_unreachable": Kind(
        "A department's system cannot be reached",
        "threegaps doctor",
        feed_state="unreachable",
        explains=_LATE | {"feed_failing"},
    ),
    "feed_stopped": Kind(
        "A batch has stopped or failed",
        "threegaps batches{of_feed}",
        feed_state="stopped",
        explains=_LATE | {"feed_failing", "feed_shrinking", "refused_share_rising"},
    ),
    # By an error, ours as a rule, and not by a rule that the department's rows break.
    "feed_batch_failed": Kind(
        "A batch has stopped or failed",
        "threegaps batches{of_feed}",
        feed_state="failed",
        explains=_LATE | {"feed_failing", "feed_shrinking", "refused_share_rising"},
    ),
    "feed_failing": Kind("A feed fails", "threegaps feeds attempts{feed}", feed_state="failing", explains=_LATE),
    "feed_late": Kind("A feed is late", "threegaps feeds{owed}", feed_state="late", waits=True),
    "feed_incomplete": Kind(
        "A delivery is loaded, and not complete", "threegaps feeds{owed}", feed_state="incomplete", waits=True
    ),
    "feed_shrinking": Kind("A feed is shrinking", "threegaps batches{of_feed}", feed_state="shrinking"),
    "feed_rows_gone": Kind("Rows are no longer there", "threegaps batches{of_feed}", feed_state="shrinking"),
    "refused_share_rising": Kind(
        "The refused share is rising", "threegaps quarantine rules{of_feed}", feed_state="refused_share_rising"
    ),
    "build_failed": Kind("A build fails", "threegaps status --all", explains=_WAITING, of_its_feeds=False),
    "release_held": Kind(
        "A release is held by a check", "threegaps status --all", explains=_WAITING, of_its_feeds=False
    ),
    "work_waiting": Kind("Loaded work is waiting", "threegaps build", waits=True),
}
"""What explains more stands before what it explains: of two that explain the same the first one does."""

HOLD_FEEDS_UP = frozenset(name for name, kind in KINDS.items() if kind.of_its_feeds and kind.explains)
"""Kinds whose incidents explain that their own feeds are late."""


def runbook(kind: str, *, is_zh: bool = False) -> str:
    """Where the runbook says what to do about incidents of *kind*; the Chinese one has the same anchors."""
    return f"docs/runbook{'.zh' if is_zh else ''}.md#{anchor(KINDS[kind].runbook)}"


def anchor(heading: str) -> str:
    """How a heading in English is linked to."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def command(kind: str, feed: str | None) -> str:
    """The command that shows more of an incident of *kind*."""
    return KINDS[kind].command.format(
        feed=f" {feed}" if feed else "",
        of_feed=f" --feed {feed}" if feed else "",
        owed=f" owed {feed}" if feed else "",
    )
