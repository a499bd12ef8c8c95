"""What is held back: batches, models or seeds that an undo named, until they are freed.

A held batch's rows are in the warehouse, and slices that they reach may be made anew for other reasons. So what is held
is the served figure: cells that a hold reaches keep what they say, in every relation. A relation without indicators in
its key keeps the whole row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from threegaps.errors import ReleaseError
from threegaps.marts import affected
from threegaps.marts.affected import Slice, Touch
from threegaps.marts.manifest import Manifest, ServedTable
from threegaps.release.inputs import Inputs, inputs_of_all


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


@dataclass(frozen=True, slots=True)
class Hold:
    """A batch, or a model or seed, that an undo holds back.

    Args:
        batch_id: The batch; None where it is a model or a seed.
        model: The model or seed; None where it is a batch.
        feed: The batch's feed.
        delivery: The batch's delivery.
        held_by_release_id: The undo that holds it.
        note: Why the undo was.
        indicators: The indicators of which it keeps figures as they are.
        keeps_back: Batches, models and seeds that are free and whose figures it keeps back, too.
    """

    batch_id: int | None
    model: str | None
    feed: str | None
    delivery: str | None
    held_by_release_id: int
    note: str | None
    indicators: tuple[str, ...] = ()
    keeps_back: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What is held, as messages call it."""
        return self.model or f"batch {self.batch_id}"


@dataclass(frozen=True, slots=True)
class Freed:
    """What was freed, and what still keeps figures of it as they are."""

    freed: tuple[Hold, ...]
    still_held: tuple[Hold, ...]

    @property
    def still_reaching(self) -> tuple[Hold, ...]:
        """Those of the still held that keep figures back of what was freed."""
        named = {hold.name for hold in self.freed}
        return tuple(hold for hold in self.still_held if named & set(hold.keeps_back))


_HOLDS = """
select h.batch_id, h.model, b.feed, b.delivery, h.held_by_release_id, r.note, h.held_at, h.freed_at
from ops.hold as h join ops.release as r on r.release_id = h.held_by_release_id
left join ops.batch as b using (batch_id)
order by h.held_by_release_id, h.model nulls first, h.batch_id
"""


def held(connection: psycopg.Connection[Any]) -> tuple[Hold, ...]:
    """Everything that undos hold back now, with the figures that it keeps as they are."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_HOLDS).fetchall()
    active = [row for row in rows if row["freed_at"] is None]
    if not active:
        return ()
    inputs = inputs_of_all(connection)
    batches = {int(row["batch_id"]) for row in rows if row["batch_id"] is not None}
    touches = {batch: affected.touches_of_batches(connection, [batch]) for batch in sorted(batches)}
    names = {_name(row) for row in active}
    # What was freed before a hold came may have been shown since; what was freed after it has not.
    freed = [(row, _slices(row, inputs, touches)) for row in rows if row["freed_at"] and _name(row) not in names]
    found = []
    for row in active:
        slices = _slices(row, inputs, touches)
        kept = {
            _name(other) for other, others in freed if other["freed_at"] >= row["held_at"] and _meet(slices, others)
        }
        told = {name: row[name] for name in ("batch_id", "model", "feed", "delivery", "held_by_release_id", "note")}
        found.append(Hold(**told, indicators=tuple(sorted(slices)), keeps_back=tuple(sorted(kept))))
    return tuple(found)


def free(
    dsn: str,
    *,
    batches: Collection[int] = (),
    models: Collection[str] = (),
    releases: Collection[int] = (),
    everything: bool = False,
) -> Freed:
    """End holds: the next build claims what they held again; what ended, and what is still held.

    Args:
        dsn: The warehouse.
        batches: Batches to free, whichever undo holds them.
        models: Models and seeds to free.
        releases: Undos, all of whose holds end.
        everything: End all holds.

    Raises:
        ReleaseError: Something is named that is not held; then nothing is freed.
    """
    with psycopg.connect(dsn) as connection:
        connection.execute("lock table ops.hold in share row exclusive mode")
        before = held(connection)
        _check_named(before, batches, models, releases)
        ending = tuple(
            hold
            for hold in before
            if everything
            or hold.batch_id in set(batches)
            or hold.model in set(models)
            or hold.held_by_release_id in set(releases)
        )
        if not ending:
            raise ReleaseError("Nothing is held back.", advice="`threegaps status` shows what undos hold back.")
        connection.execute(
            "update ops.hold set freed_at = clock_timestamp() where freed_at is null and (%s or batch_id = any(%s)"
            " or model = any(%s) or held_by_release_id = any(%s))",
            [everything, list(batches), list(models), list(releases)],
        )
        return Freed(ending, held(connection))


def _check_named(
    before: Collection[Hold], batches: Collection[int], models: Collection[str], releases: Collection[int]
) -> None:
    known = {hold.name for hold in before} | {f"release {hold.held_by_release_id}" for hold in before}
    named = [*(f"batch {one}" for one in batches), *models, *(f"release {one}" for one in releases)]
    if unknown := [one for one in named if one not in known]:
        said = ", ".join(hold.name for hold in before) or "nothing"
        raise ReleaseError(
            f"Not held back: {', '.join(unknown)}. Nothing was freed.", advice=f"undos hold back {said}."
        )


def _name(row: Mapping[str, Any]) -> str:
    return f"batch {row['batch_id']}" if row["model"] is None else str(row["model"])


def _slices(
    row: Mapping[str, Any], inputs: Mapping[str, Inputs], touches: Mapping[int, list[Touch]]
) -> dict[str, list[Slice]]:
    """What a hold reaches, by indicator."""
    found: dict[str, list[Slice]] = {}
    for code, made_of in inputs.items():
        if row["model"] is not None:
            slices = [affected.whole(code)] if row["model"] in made_of.nodes else []
        else:
            slices = affected.reached_slices(code, made_of.reach, touches[int(row["batch_id"])])
        if slices:
            found[code] = slices
    return found


def _meet(some: Mapping[str, list[Slice]], others: Mapping[str, list[Slice]]) -> bool:
    """Whether two holds reach the same figures: of different counties both reach those of the groups above them."""
    return any(
        one.period_start <= other.period_end and other.period_start <= one.period_end
        for code in some.keys() & others.keys()
        for one in some[code]
        for other in others[code]
    )
