"""What is held back: batches, models or seeds that an undo named, until they are freed.

A held batch's rows are in the warehouse, and slices that they reach may be made anew for other reasons. So what is held
is the served figure: cells that a hold reaches keep what they say, in every relation. A relation without indicators in
its key keeps the whole row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.errors import ReleaseError
from threegaps.marts import affected
from threegaps.marts.affected import Slice, Touch
from threegaps.marts.manifest import Manifest, ServedTable


def held_slices(connection: psycopg.Connection[Any], manifest: Manifest) -> list[Slice]:
    """The slices that active holds reach."""
    rows = connection.execute("select batch_id, model from ops.hold where freed_at is null order by hold_id").fetchall()
    batches = [int(batch_id) for batch_id, _ in rows if batch_id is not None]
    touches = affected.touches_of_batches(connection, batches)
    touches += [Touch(0, "model", model, "*", dt.date.min, dt.date.max) for _, model in rows if model is not None]
    return affected.affected_slices(manifest, touches)


def note_held(connection: psycopg.Connection[Any], slices: Iterable[Slice]) -> bool:
    """Write the periods of held slices to a temporary table of this transaction; whether there are any."""
    connection.execute(
        "create temp table held_range (indicator_code text, area_code text, period_start date, period_end date)"
        " on commit drop"
    )
    rows = list(slices)
    with connection.cursor() as cursor, cursor.copy("copy held_range from stdin") as copy:
        for held in rows:
            copy.write_row((held.indicator_code, held.area_code, *affected.database_range(held)))
    connection.execute(
        "create temp table held_slice on commit drop as"
        " select distinct h.indicator_code, h.area_code, p.period_type, p.period_end"
        " from held_range as h join core.dim_period as p"
        " on h.period_start <= p.period_end and h.period_end >= p.period_start"
    )
    return bool(rows)


def held_condition(table: ServedTable) -> sql.Composable | None:
    """The condition on a row ``k`` (its key) under which it is held; None for relations that speak of no period."""
    if not {"area_code", "period_type", "period_end"} <= set(table.key):
        return None
    same = sql.SQL("h.indicator_code = k.indicator_code and ") if "indicator_code" in table.key else sql.SQL("")
    return sql.SQL(
        "exists (select from held_slice as h where {}h.period_type = k.period_type"
        " and h.period_end = k.period_end and (h.area_code in ('*', k.area_code) or exists (select from"
        " core.area_member as m where m.area_code = k.area_code and m.county_code = h.area_code)))"
    ).format(same)


def free(dsn: str, *, batches: Iterable[int] = (), models: Iterable[str] = ()) -> int:
    """End the holds on batches and models: the next build claims them again; how many holds ended.

    Raises:
        ReleaseError: None of them is held.
    """
    with psycopg.connect(dsn) as connection:
        ended = connection.execute(
            "update ops.hold set freed_at = clock_timestamp() where freed_at is null"
            " and (batch_id = any(%s) or model = any(%s))",
            [list(batches), list(models)],
        ).rowcount
    if not ended:
        raise ReleaseError("None of these is held.", advice="`threegaps status` shows what undos hold back.")
    return ended
