"""What other systems are told of a release: its number and day, and which indicators say something else."""

from __future__ import annotations

from typing import Any

import psycopg

MOST_CODES = 300
"""Codes that are named; the number of all is said beside them."""

# A cell that a release said first, or that it replaced or removed; what only moved to a later day is no change.
_CHANGED = """
select indicator_code from marts.indicator_value_stored where value_release_id > %(after)s
union select indicator_code from history.indicator_value where release_to > %(after)s
order by 1
"""


def news_since(connection: psycopg.Connection[Any], last_told: int | None) -> dict[str, Any] | None:
    """What has changed from release *last_told* to the one that serves, as JSON takes it; None where nothing has.

    Args:
        connection: An open connection to the warehouse.
        last_told: The release that was told of last. None, or one that there is not (the warehouse is another), stands
            for the release before the one that serves.
    """
    connection.execute("set transaction isolation level repeatable read")
    row = connection.execute(
        "select r.release_id, r.kind, r.build_id, r.as_of, r.released_at, r.is_demonstration,"
        " (select max(b.release_id) from ops.release as b where b.release_id < r.release_id)"
        " from ops.release as r join ops.current_release using (release_id)"
    ).fetchone()
    if row is None:
        return None
    release_id, kind, build_id, as_of, released_at, is_demonstration, before = row
    after = last_told if last_told is not None and last_told <= release_id else before or 0
    codes = [code for (code,) in connection.execute(_CHANGED, {"after": after})]
    if not codes:
        return None
    return {
        "release_id": release_id,
        "told_before": last_told,
        "kind": kind,
        "build_id": build_id,
        "as_of": as_of.isoformat(),
        "released_at": released_at.isoformat(),
        "is_demonstration": is_demonstration,
        "indicators": codes[:MOST_CODES],
        "indicator_count": len(codes),
    }
