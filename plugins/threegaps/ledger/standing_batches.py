"""What the batches of a feed still say: a whole delivery that is complete replaces what was said before it.

- Of a feed of changes, every loaded batch goes on saying its rows.
- A complete whole delivery of a period replaces the original rows, and the repairs of them, that earlier batches of the
  same delivery had. Corrections that the department sent by themselves go on standing.
- A complete full list replaces everything that came before it, whatever delivery it was of, and comes behind every list
  of a later delivery.

Earlier is what has the older newest landed object: the order of arrival, not that of loading.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.ledger.landed import REPLAY_PREFIX


@dataclass(frozen=True, slots=True)
class StandingBatches:
    """What stands once a batch is loaded.

    Args:
        replaced: Batches of the feed whose rows no longer stand; the batch itself may be one of them.
        exempt: Landed objects whose rows stand all the same.
        is_replaced: The batch itself comes behind a whole delivery that has been loaded.
        is_replacing: The batch is the whole delivery that replaces what came before.
        replaced_by_own: Those of *replaced* that the batch, or what it comes behind, replaces.
        last_day: The last day of the whole delivery that came last, of all lists or of the batch's own period; None
            where there is none.
        last_object_id: The newest landed object of that delivery.
    """

    replaced: tuple[int, ...] = ()
    exempt: tuple[int, ...] = ()
    is_replaced: bool = False
    is_replacing: bool = False
    replaced_by_own: tuple[int, ...] = ()
    last_day: dt.date | None = None
    last_object_id: int = 0


@dataclass(frozen=True, slots=True)
class _Loaded:
    batch_id: int
    place: tuple[dt.date, dt.date]
    newest_object_id: int
    order_number: int
    is_replacing: bool

    @property
    def rank(self) -> tuple[tuple[dt.date, dt.date], int, int]:
        return self.place, self.newest_object_id, self.order_number


def standing_with(
    connection: psycopg.Connection[Any], batch_id: int, *, delivery_kind: str, is_complete: bool
) -> StandingBatches:
    """What stands once batch *batch_id* is loaded, and the batch that it supersedes is not any more.

    Args:
        delivery_kind: The contract's: ``changes``, ``full_period`` or ``full_list``.
        is_complete: Whether the batch, if it is whole, is a complete delivery.
    """
    if delivery_kind == "changes":
        return StandingBatches()
    is_list = delivery_kind == "full_list"
    loaded = _loaded(connection, batch_id, is_complete=is_complete)
    # Lists replace one another; a period's delivery replaces what came of the same period.
    groups: dict[tuple[dt.date, dt.date] | None, list[_Loaded]] = {}
    for batch in loaded:
        groups.setdefault(None if is_list else batch.place, []).append(batch)
    own = next(batch for batch in loaded if batch.batch_id == batch_id)
    replaced = {place: _replaced(group) for place, group in groups.items()}
    every = [number for numbers in replaced.values() for number in numbers]
    own_place = None if is_list else own.place
    last = _last_whole(groups[own_place])
    return StandingBatches(
        replaced=tuple(every),
        exempt=() if is_list else _corrections(connection, [*every, batch_id]),
        is_replaced=batch_id in replaced[own_place],
        is_replacing=last is own,
        replaced_by_own=tuple(replaced[own_place]),
        last_day=None if last is None else last.place[0],
        last_object_id=0 if last is None else last.newest_object_id,
    )


def _last_whole(batches: Sequence[_Loaded]) -> _Loaded | None:
    return max((batch for batch in batches if batch.is_replacing), key=lambda batch: batch.rank, default=None)


def _replaced(batches: Sequence[_Loaded]) -> list[int]:
    last = _last_whole(batches)
    return [] if last is None else [batch.batch_id for batch in batches if batch.rank < last.rank]


def _loaded(connection: psycopg.Connection[Any], batch_id: int, *, is_complete: bool) -> Sequence[_Loaded]:
    rows = connection.execute(
        "select b.batch_id, b.delivery_end, b.delivery_start, coalesce(b.newest_object_id, 0), b.order_number,"
        " b.is_whole and case when b.batch_id = own.batch_id then %(complete)s else b.is_complete end"
        " from ops.batch as own join ops.batch as b on b.feed = own.feed"
        " and (b.status = 'loaded' or b.batch_id = own.batch_id)"
        " and b.batch_id is distinct from own.supersedes_batch_id where own.batch_id = %(own)s",
        {"own": batch_id, "complete": is_complete},
    ).fetchall()
    return [_Loaded(number, (end, start), *rest) for number, end, start, *rest in rows]


def _corrections(connection: psycopg.Connection[Any], batch_ids: Sequence[int]) -> tuple[int, ...]:
    """What the department sent as corrections of its own, and these batches judged."""
    rows = connection.execute(
        "select distinct l.landed_object_id from ops.batch_object as o join ops.landed_object as l"
        " using (landed_object_id) where o.batch_id = any(%s) and l.is_correction and not starts_with(l.part, %s)"
        " order by 1",
        [list(batch_ids), REPLAY_PREFIX],
    ).fetchall()
    return tuple(int(row[0]) for row in rows)
