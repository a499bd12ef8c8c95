"""What a feed has sent in two years: rows, shares refused and shares that broke each rule, and what is usual."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.calendar import add_months
from threegaps.ledger.batches import SHRINKING_BELOW, SHRINKING_FROM_ROWS, has_originals, least_after
from threegaps.watch import reading_ledger
from threegaps.watch.looks.batches import PAST_DELIVERIES, RISES_FROM_ROWS, rising_from

YEARS = 2
RULES_OVER = 120
"""So many last deliveries rules are looked at over: two years of days are more than a small chart shows."""
LATELY = 12
"""By so many last deliveries rules are ranked."""
_BEFORE = reading_ledger.HISTORY - 1
"""So many deliveries before one say what is usual, as the watch has it."""
_SCALED = 3 * 1.4826
"""Three standard deviations, where values are spread as chance spreads them, of the median absolute deviation."""

# What stands of a delivery: its parts may have come in several batches, and what came later overtakes what came before.
# A delivery of which nothing is loaded stands as its newest batch that a rule has stopped was judged.
_CHOSEN = f"""
chosen as materialized (
    select b.batch_id, b.delivery, b.delivery_start, b.delivery_end, b.received, b.refused, b.status
    from ops.batch as b
    where b.feed = %(feed)s and b.delivery_end > %(since)s and b.received is not null and (
        b.is_latest_judgement
        or (b.status = 'stopped' and {has_originals("b")} and not exists (
            select from ops.batch as o where o.feed = b.feed and o.delivery = b.delivery
                and (o.is_latest_judgement or (o.status = 'stopped' and o.batch_id > b.batch_id))
        ))
    )
)"""
_DELIVERIES = f"""
with {_CHOSEN}
select c.delivery, c.delivery_start, c.delivery_end, sum(c.received)::bigint as received,
    case when count(c.refused) = count(*) then sum(c.refused)::bigint end as refused,
    bool_or(c.status = 'loaded') as is_loaded
from chosen as c
group by c.delivery, c.delivery_start, c.delivery_end order by c.delivery_end, c.delivery_start
"""
# Deliveries are read of the rules that are shown alone: of sixty rules and two years of days they are most of the work.
# A rule whose action changed is one rule; what was judged last says what it does.
_RULES = f"""
with {_CHOSEN},
looked as materialized (
    select r.rule, r.batch_id, r.action, c.delivery, r.unexpected, r.evaluated
    from chosen as c join ops.check_result as r using (batch_id)
),
ranked as (
    select l.rule, (array_agg(l.action order by l.batch_id desc))[1] as action,
        coalesce(sum(l.unexpected) filter (where l.delivery = any(%(lately)s)), 0)::bigint as lately,
        count(distinct l.delivery) filter (where l.unexpected > 0) as broken
    from looked as l group by l.rule
),
placed as (
    select k.*, row_number() over (order by k.lately desc, k.broken desc, k.rule collate "C") as place
    from ranked as k
),
listed as (
    select l.rule, array_agg(l.delivery) as deliveries, array_agg(l.unexpected) as unexpected,
        array_agg(l.evaluated) as evaluated
    from looked as l join placed as p using (rule)
    where p.broken > 0 and p.place <= coalesce(%(most)s, p.place) group by l.rule
)
select p.rule, p.action, p.lately, p.broken, l.deliveries, l.unexpected, l.evaluated
from placed as p left join listed as l using (rule) order by p.place
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery as it stands: its batches together.

    Args:
        refused: None where the ledger does not say.
        is_loaded: False where a rule has stopped it, and nothing of it is loaded.
    """

    delivery: str
    delivery_start: dt.date
    delivery_end: dt.date
    received: int
    refused: int | None
    is_loaded: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """A value of one delivery beside what is usual.

    Args:
        value: Rows, or per cent.
        low: The least that is usual; None where too little came before to tell.
        high: The most.
        is_out: Whether somebody should look at it.
    """

    delivered: Delivered
    value: float
    low: float | None
    high: float | None
    is_out: bool


@dataclass(frozen=True, slots=True)
class RulePast:
    """How many rows broke a rule, delivery by delivery.

    Args:
        action: What it did when it looked last.
        shares: In per cent of the rows that it looked at, of the deliveries that it looked at; none where nobody asked.
        lately: Rows that broke it in the last `LATELY` deliveries.
        broken: In how many of the deliveries any did.
    """

    rule: str
    action: str
    shares: tuple[Measured, ...]
    lately: int
    broken: int


@dataclass(frozen=True, slots=True)
class Past:
    """What a feed has sent.

    Args:
        volumes: Rows received.
        refused: Per cent refused, of the deliveries of which that is known.
        rules: Those that rows broke: the most broken of late first.
        unbroken: How many rules no row broke.
    """

    volumes: tuple[Measured, ...]
    refused: tuple[Measured, ...]
    rules: tuple[RulePast, ...]
    unbroken: int


def read_past(
    connection: psycopg.Connection[Any], feed: str, *, cadence: str, kind: str, most_rules: int | None = None
) -> Past:
    """What a feed has sent in the last two years up to its latest delivery.

    Args:
        cadence: How often it comes.
        kind: How it is delivered: what changes from day to day does not shrink.
        most_rules: Only the shares of so many rules, the most broken of late, are worked out; None for all.
    """
    last = connection.execute(
        "select max(delivery_end) from ops.batch where feed = %s and isfinite(delivery_end)", [feed]
    ).fetchone()
    if last is None or last[0] is None:
        return Past((), (), (), 0)
    wanted = {"feed": feed, "since": add_months(last[0], -12 * YEARS)}
    with connection.cursor(row_factory=class_row(Delivered)) as cursor:
        delivered = cursor.execute(_DELIVERIES.encode(), wanted).fetchall()
    before = comparable(delivered, cadence, kind=kind)
    recent = delivered[-RULES_OVER:]
    found, rules = _rules(connection, wanted, recent, comparable(recent, cadence, kind=kind), most_rules)
    return Past(
        volumes=volumes(delivered, before, kind=kind),
        refused=_refused(delivered, before),
        rules=rules,
        unbroken=found - len(rules),
    )


def _rules(
    connection: psycopg.Connection[Any],
    wanted: dict[str, Any],
    recent: Sequence[Delivered],
    before: Sequence[Sequence[int]],
    most: int | None,
) -> tuple[int, tuple[RulePast, ...]]:
    """How many rules looked at any of these deliveries, and what rows broke of them, the most broken of late first."""
    if not recent:
        return 0, ()
    wanted = {
        **wanted,
        "since": recent[0].delivery_end - dt.timedelta(days=1),
        "lately": [one.delivery for one in recent[-LATELY:]],
        "most": most,
    }
    found = connection.execute(_RULES.encode(), wanted).fetchall()
    rules = []
    for rule, action, lately, broken, deliveries, unexpected, evaluated in found:
        past: tuple[Measured, ...] = ()
        if deliveries is not None:
            counts = _counts(deliveries, unexpected, evaluated)
            # Where a rule does not stand nothing was looked at, and it has no share.
            past = _of_looked_at(recent, before, [counts.get(one.delivery, (0, 0)) for one in recent])
        if broken:
            rules.append(RulePast(rule, action, past, lately, broken))
    return len(found), tuple(rules)


def _of_looked_at(
    delivered: Sequence[Delivered], before: Sequence[Sequence[int]], listed: Sequence[tuple[int, int]]
) -> tuple[Measured, ...]:
    measured = shares(delivered, before, listed)
    return tuple(one for one, (_, whole) in zip(measured, listed, strict=True) if whole)


def comparable(delivered: Sequence[Delivered], cadence: str, *, kind: str) -> list[tuple[int, ...]]:
    """For each delivery the places of those that say what is usual of it: the last loaded ones before, six at most.

    Of a daily feed those of the same day of the week: offices rest at its end. Only those that the watch compares with,
    too: not a month with a quarter.

    Args:
        delivered: The oldest first.
        cadence: How often they come.
        kind: How they are delivered.
    """
    places: list[tuple[int, ...]] = []
    alike: dict[int, list[int]] = {}
    for index, one in enumerate(delivered):
        like = alike.setdefault(one.delivery_end.weekday() if cadence == "day" else 0, [])
        before = like[: -_BEFORE - 1 : -1]
        count = len(reading_ledger.comparable(kind, [one, *(delivered[place] for place in before)])) - 1
        places.append(tuple(reversed(before[:count])))
        if one.is_loaded:
            like.append(index)
    return places


def volumes(delivered: Sequence[Delivered], before: Sequence[Sequence[int]], *, kind: str) -> tuple[Measured, ...]:
    """The rows of deliveries beside what is usual.

    Usual is what lies within three (scaled) median absolute deviations of the median of the `comparable` deliveries
    before, and in any case what lies within a fifth of it, but nothing that the watch calls shrinking, which compares
    with the delivery before alone. Three deliveries at least have to say what is usual, and below
    `SHRINKING_FROM_ROWS` rows a row more or less says nothing.

    Args:
        delivered: The oldest first.
        before: Of each the places of those to compare with.
        kind: How they are delivered: what changes from one to the next does not shrink.
    """
    measured = []
    last: Delivered | None = None
    for one, places in zip(delivered, before, strict=True):
        low = high = None
        is_alike = last is not None and len(reading_ledger.comparable(kind, [one, last])) > 1
        least = least_after(last.received if last and is_alike else None, kind) or 0.0
        is_out = one.received < least
        if len(places) >= PAST_DELIVERIES:
            past = [delivered[place].received for place in places]
            middle = statistics.median(past)
            spread = statistics.median([abs(rows - middle) for rows in past])
            reach = max(_SCALED * spread, (1 - SHRINKING_BELOW) * middle)
            low, high = max(least, middle - reach), max(least, middle + reach)
            is_out = is_out or (max(one.received, middle) >= SHRINKING_FROM_ROWS and not low <= one.received <= high)
        measured.append(Measured(one, one.received, low, high, is_out))
        last = one if one.is_loaded else last
    return tuple(measured)


def shares(
    delivered: Sequence[Delivered], before: Sequence[Sequence[int]], counts: Sequence[tuple[int, int]]
) -> tuple[Measured, ...]:
    """Shares in per cent beside what is usual: anything below where the watch says that they rise (`rising_from`).

    That is by the median of the `comparable` deliveries before; fewer than `RISES_FROM_ROWS` rows are never out.

    Args:
        delivered: The oldest first.
        before: Of each the places of those to compare with.
        counts: The part and the whole of each; a whole of nothing is none that is compared with.
    """
    percents = [_percent(part, whole) for part, whole in counts]
    measured = []
    for index, (one, places) in enumerate(zip(delivered, before, strict=True)):
        past = [percents[place] for place in places if counts[place][1]]
        high = rising_from(statistics.median(past)) if len(past) >= PAST_DELIVERIES else None
        is_out = high is not None and counts[index][0] >= RISES_FROM_ROWS and percents[index] >= high
        measured.append(Measured(one, percents[index], None if high is None else 0.0, high, is_out))
    return tuple(measured)


def _refused(delivered: Sequence[Delivered], before: Sequence[Sequence[int]]) -> tuple[Measured, ...]:
    counts = [(0, 0) if one.refused is None else (one.refused, one.received) for one in delivered]
    return tuple(one for one in shares(delivered, before, counts) if one.delivered.refused is not None)


def _counts(
    deliveries: Sequence[str], unexpected: Sequence[int], evaluated: Sequence[int]
) -> dict[str, tuple[int, int]]:
    """Rows that broke a rule and rows that it looked at, by delivery, whose parts may stand in several batches."""
    counts: dict[str, tuple[int, int]] = {}
    for delivery, part, whole in zip(deliveries, unexpected, evaluated, strict=True):
        parts, wholes = counts.get(delivery, (0, 0))
        counts[delivery] = (parts + part, wholes + whole)
    return counts


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
