"""When a late feed is looked for again: its own schedule comes back a delivery later, after a month or a year."""

from __future__ import annotations

import datetime as dt

from threegaps.ledger.expected import Standing

_OFTEN = dt.timedelta(hours=3)
_OFTEN_FOR = dt.timedelta(days=7)
_SELDOM = dt.timedelta(days=1)


def look_due(standing: Standing, now: dt.datetime) -> str | None:
    """The name of the look that is due for a late feed, the same until the next one is; None where nothing is late.

    Departments that are late mostly are so by hours or days: from the due moment of the oldest that is late every
    three hours for a week, then once a day.

    Args:
        standing: How the feed stands at *now*.
        now: The moment that deliveries are judged by.
    """
    if not standing.late or standing.paused or standing.late_since is None:
        return None
    since = now - standing.late_since
    if since < _OFTEN_FOR:
        return f"{standing.late[0]}__{since // _OFTEN}"
    return f"{standing.late[0]}__{_OFTEN_FOR // _OFTEN + (since - _OFTEN_FOR) // _SELDOM}"
