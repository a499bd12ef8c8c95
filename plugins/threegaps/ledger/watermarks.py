"""Watermarks of feeds of changes: how far a feed has been read, as the text that its source compares with."""

from __future__ import annotations

from typing import Any

import psycopg


def get_watermark(connection: psycopg.Connection[Any], feed: str) -> str | None:
    """Everything before this instant (Shanghai wall clock) has been loaded; None before the first load."""
    row = connection.execute("select watermark from ops.watermark where feed = %s", [feed]).fetchone()
    return None if row is None else str(row[0])


def read_since(connection: psycopg.Connection[Any], feed: str) -> str | None:
    """The first instant of all windows that have been loaded; None before the first load."""
    row = connection.execute(
        "select min(watermark_from) from ops.batch where feed = %s and status = 'loaded'", [feed]
    ).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def advance_watermark(connection: psycopg.Connection[Any], feed: str, watermark: str, batch_id: int) -> None:
    """Advance in the load's own transaction; a watermark never goes back."""
    connection.execute(
        "insert into ops.watermark as known (feed, watermark, batch_id) values (%s, %s, %s)"
        " on conflict (feed) do update set watermark = excluded.watermark, batch_id = excluded.batch_id,"
        " updated_at = clock_timestamp() where excluded.watermark > known.watermark",
        [feed, watermark, batch_id],
    )
