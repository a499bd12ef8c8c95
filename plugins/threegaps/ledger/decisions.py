"""What people decided: that a stopped batch is meant, that a landed object has to go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import psycopg


def record_acceptance(
    connection: psycopg.Connection[Any],
    *,
    landed_object_id: int,
    batch_id: int,
    rules: Iterable[str],
    accepted_by: str,
    reason: str,
    accepted_at: dt.datetime,
) -> None:
    """Enter that a batch was loaded although *rules* had stopped it; a batch judged later takes it over.

    Args:
        landed_object_id: The decision itself, as it lies in landing.
    """
    connection.execute(
        "insert into ops.acceptance (landed_object_id, batch_id, rules, accepted_by, reason, accepted_at)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (landed_object_id) do update set batch_id = excluded.batch_id",
        [landed_object_id, batch_id, list(rules), accepted_by, reason, accepted_at],
    )
