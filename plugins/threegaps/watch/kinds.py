"""What is known of each kind of incident: where the runbook speaks of it, and what to ask first."""

from __future__ import annotations

import re
from collections.abc import Mapping

RUNBOOK_SECTIONS: Mapping[str, str] = {
    "warehouse_down": "The warehouse does not answer",
    "airflow_down": "Airflow is down",
    "disk_filling": "The disk is full",
    "feed_unreachable": "A department's system cannot be reached",
    "feed_stopped": "A batch has stopped or failed",
    "feed_failing": "A feed fails",
    "feed_late": "A feed is late",
    "feed_incomplete": "A delivery is loaded, and not complete",
    "feed_shrinking": "A feed is shrinking",
    "refused_share_rising": "The refused share is rising",
    "build_failed": "A build fails",
    "release_held": "A release is held by a check",
    "work_waiting": "Loaded work is waiting",
}
"""The heading in docs/runbook.md that says what to do, by kind; a test holds the headings to these."""


def runbook(kind: str, *, is_zh: bool = False) -> str:
    """Where the runbook says what to do about incidents of *kind*; the Chinese one has the same anchors."""
    return f"docs/runbook{'.zh' if is_zh else ''}.md#{anchor(RUNBOOK_SECTIONS[kind])}"


def anchor(heading: str) -> str:
    """How a heading in English is linked to."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def command(kind: str, feed: str | None) -> str:
    """The command that shows more of an incident of *kind*."""
    of_feed = f" --feed {feed}" if feed else ""
    return {
        "warehouse_down": "threegaps doctor",
        "airflow_down": "threegaps status",
        "disk_filling": "threegaps doctor",
        "feed_unreachable": "threegaps doctor",
        "feed_stopped": f"threegaps batches{of_feed}",
        "feed_failing": f"threegaps feeds attempts{f' {feed}' if feed else ''}",
        "feed_late": f"threegaps feeds owed {feed}" if feed else "threegaps feeds",
        "feed_incomplete": f"threegaps feeds owed {feed}" if feed else "threegaps feeds",
        "feed_shrinking": f"threegaps batches{of_feed}",
        "refused_share_rising": f"threegaps quarantine rules{of_feed}",
        "build_failed": "threegaps status",
        "release_held": "threegaps status",
        "work_waiting": "threegaps build",
    }[kind]
