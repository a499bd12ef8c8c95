"""Entering what feeds owe, as their contracts say: by `up`, `migrate`, the upkeep and each load, some months ahead.

Apart from `threegaps.ledger.expected`, which knows no contract: whoever reads the ledger alone does not pay for them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from threegaps.calendar import Delivery
from threegaps.contracts.due import due_moments
from threegaps.contracts.model import Contract
from threegaps.ledger.expected import (
    ARRIVED,
    MOMENT,
    apply_pauses,
    changed_deliveries,
    judged_at,
    settle,
    summarise,
)
from threegaps.standards.areas import codes_in_force

ENTERED_AHEAD = dt.timedelta(days=60)
"""How far ahead what is owed is entered, and one delivery in any case."""

# Of a delivery that has come, what it lacks is missing, and stays so.
_NOTHING_CAME = (
    "e.first_arrived_at is null and not exists (select from ops.expected_delivery as w where w.feed = e.feed"
    " and w.delivery = e.delivery and w.county_code = '' and w.first_arrived_at is not null)"
)


def enter_all(
    connection: psycopg.Connection[Any], contracts: Iterable[Contract], *, unread: Iterable[str] = ()
) -> None:
    """Enter what every feed owes; a feed without a contract owes nothing more.

    Args:
        unread: Feeds whose contract cannot be read now: of them nothing changes.
    """
    feeds = list(unread)
    for contract in contracts:
        enter(connection, contract)
        feeds.append(contract.feed)
    gone = "feed <> all(%(feeds)s::text[])"
    with connection.transaction():
        connection.execute(f"update ops.feed set is_current = false where is_current and {gone}", {"feeds": feeds})
        deleted = connection.execute(
            f"delete from ops.expected_delivery as e where e.feed in (select feed from ops.feed where {gone})"
            f" and e.due_at > {MOMENT} and {_NOTHING_CAME} returning e.feed",
            {"feeds": feeds},
        ).fetchall()
        for feed in sorted({str(row[0]) for row in deleted}):
            summarise(connection, feed)


def enter(connection: psycopg.Connection[Any], contract: Contract) -> None:
    """Enter what a feed owes, from its first delivery to `ENTERED_AHEAD`; may be repeated.

    A contract that has changed changes what is still open in the future, and nothing that has come or was due; but what
    was due and it names no more is not owed now.
    """
    with connection.transaction():
        _enter_feed(connection, contract)
        now = judged_at(connection)
        known = {
            str(delivery): due_at if first_arrived_at is None and due_at > now else None
            for delivery, due_at, first_arrived_at in connection.execute(
                "select delivery, due_at, first_arrived_at from ops.expected_delivery"
                " where feed = %s and county_code = ''",
                [contract.feed],
            )
        }
        owed, fixed = _owed(contract, now, known)
        named = sorted({*(delivery.key for delivery, _ in owed), *fixed})
        changed = _remove_open(connection, contract, now, named)
        changed |= _insert(connection, contract, owed)
        changed |= _mark(connection, contract, now, named)
        if changed:
            settle(connection, contract.feed, sorted(changed - known.keys()))
            apply_pauses(connection, contract.feed, sorted(changed))
        # Also where nothing has changed: what has become due since is counted.
        summarise(connection, contract.feed, sorted(changed))


def _enter_feed(connection: psycopg.Connection[Any], contract: Contract) -> None:
    """The feed's own row, which stays locked: nobody else enters what it owes meanwhile."""
    now = ARRIVED.format("clock_timestamp()")
    connection.execute(
        # How it is delivered is what builds rest on: that is the last load's to say, once there was one.
        "insert into ops.feed as known (feed, delivery_kind, first_day, title_zh, title_en, connection_id, cadence,"
        " due_day) values (%(feed)s, %(kind)s, %(first_day)s, %(title_zh)s, %(title_en)s, %(connection)s, %(cadence)s,"
        " %(due_day)s) on conflict (feed) do update set title_zh = excluded.title_zh, title_en = excluded.title_en,"
        " connection_id = excluded.connection_id, cadence = excluded.cadence, due_day = excluded.due_day,"
        f" is_current = true, returned_at = case when known.is_current then known.returned_at else {now} end",
        {
            "feed": contract.feed,
            "kind": contract.delivery_kind,
            "first_day": contract.covers_from or Delivery.parse(contract.cadence, contract.first_delivery).start,
            "title_zh": contract.title_zh,
            "title_en": contract.title_en,
            "connection": contract.connection_id,
            "cadence": contract.cadence,
            "due_day": contract.due_day,
        },
    )
    connection.execute(
        # What landed before, as in a warehouse that is built anew, tells since when it is asked for; but where its
        # contract was away, it is asked for since that came back.
        f"update ops.feed as f set known_since = greatest(case when f.returned_at < {now} then f.returned_at"
        f" when f.returned_at is not null then {now} end, least(f.known_since, {now},"
        f" (select min({ARRIVED.format('l.fetched_at')}) from ops.landed_object as l where l.feed = f.feed)))"
        " where feed = %s",
        [contract.feed],
    )


def _owed(
    contract: Contract, now: dt.datetime, known: dict[str, dt.datetime | None]
) -> tuple[list[tuple[Delivery, dt.datetime]], set[str]]:
    """What is to be entered or may have to be changed, with its due moment; and what stays as it is known."""
    owed: list[tuple[Delivery, dt.datetime]] = []
    fixed: set[str] = set()
    delivery = Delivery.parse(contract.cadence, contract.first_delivery)
    while known.get(delivery.key, now) is None:
        fixed.add(delivery.key)
        delivery = delivery.next()
    for due_at in due_moments(contract, delivery):
        is_ahead = due_at > now + ENTERED_AHEAD
        if is_ahead and any(other > now for _, other in owed[-1:]):
            break
        if known.get(delivery.key, now) is None:
            fixed.add(delivery.key)
        else:
            owed.append((delivery, due_at))
        if is_ahead:
            break
        delivery = delivery.next()
    return owed, fixed


def _remove_open(
    connection: psycopg.Connection[Any], contract: Contract, now: dt.datetime, named: Sequence[str]
) -> set[str]:
    """Remove what is open in the future and no longer owed; of which deliveries there was any."""
    return changed_deliveries(
        connection.execute(
            f"delete from ops.expected_delivery as e where e.feed = %s and e.due_at > %s and {_NOTHING_CAME}"
            " and (e.delivery <> all(%s) or (e.county_code <> '' and e.county_code <> all(%s))) returning e.delivery",
            [contract.feed, now, named, _counties(contract)],
        )
    )


def _counties(contract: Contract) -> list[str]:
    return sorted(codes_in_force()) if contract.owed_by_county else []


def _insert(
    connection: psycopg.Connection[Any], contract: Contract, owed: Sequence[tuple[Delivery, dt.datetime]]
) -> set[str]:
    """Enter what is owed, or change when; the deliveries of which that changed anything."""
    return changed_deliveries(
        connection.execute(
            "insert into ops.expected_delivery as e (feed, delivery, county_code, cadence, delivery_start,"
            " delivery_end, due_at, is_timed) select %(feed)s, d.delivery, c.county_code, %(cadence)s, d.first_day,"
            " d.last_day, d.due_at, false"
            " from unnest(%(keys)s::text[], %(first_days)s::date[], %(last_days)s::date[], %(due)s::timestamptz[])"
            " as d (delivery, first_day, last_day, due_at) cross join unnest(%(counties)s::text[]) as c (county_code)"
            # Of what was loaded before counties were counted nobody can tell which of them it had.
            " where c.county_code = '' or not exists (select 1 from ops.batch as b where b.feed = %(feed)s"
            " and b.delivery = d.delivery and b.status = 'loaded'"
            " and not exists (select 1 from ops.batch_county as k where k.batch_id = b.batch_id))"
            # All of a delivery is due at once, also where a correction has brought a county's part ahead of it.
            " on conflict (feed, delivery, county_code) do update set due_at = excluded.due_at"
            f" where e.due_at <> excluded.due_at and e.due_at > {MOMENT}"
            " returning e.delivery",
            {
                "feed": contract.feed,
                "cadence": contract.cadence,
                "keys": [delivery.key for delivery, _ in owed],
                "first_days": [delivery.start for delivery, _ in owed],
                "last_days": [delivery.end for delivery, _ in owed],
                "due": [due_at for _, due_at in owed],
                "counties": ["", *_counties(contract)],
            },
        )
    )


def _mark(connection: psycopg.Connection[Any], contract: Contract, now: dt.datetime, named: Sequence[str]) -> set[str]:
    """Say what the contract names still, and of what can be told whether it came in time: of what is due since then.

    What it names no more was owed in its time, and counts there; nobody will send it any more.
    """
    is_current = (
        "(e.due_at > %(now)s or"
        " e.delivery = any(%(named)s) and (e.county_code = '' or e.county_code = any(%(counties)s)))"
    )
    # What was due before its contract was away was asked for then.
    is_timed = "(e.due_at > f.known_since or (e.is_timed and f.returned_at is not null))"
    return changed_deliveries(
        connection.execute(
            f"update ops.expected_delivery as e set is_timed = {is_timed}, is_current = {is_current}"
            " from ops.feed as f where f.feed = e.feed and e.feed = %(feed)s"
            f" and (e.is_timed, e.is_current) is distinct from ({is_timed}, {is_current})"
            " returning e.delivery",
            {"feed": contract.feed, "now": now, "named": named, "counties": _counties(contract)},
        )
    )
