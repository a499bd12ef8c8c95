"""Expected deliveries: which feed owes which delivery by when, what has come of it, and how each feed stands by that.

What is owed is entered ahead (`threegaps.ledger.owing`), so that whoever reads the ledger alone knows what is due. What
has come of it follows from the batches that are loaded, in their own transaction: of a delivery that was sent again the
first whole arrival says whether it was in time, the last one what it holds; corrections, repairs, judging again, a
purge and an undo change neither. What a rule has stopped has not come; once it is accepted it came when it was fetched.
An empty delivery is empty, in time or not. A paused one is not owed, whatever comes of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from threegaps.ledger.summaries import sum_up
from threegaps.settings import SHANGHAI
from threegaps.standards.moments import last_moment

MOMENT = "coalesce((select judged_at from ops.delivery_clock), now())"
"""The moment by which deliveries are judged, in SQL: now, or where the sandbox's departments stand."""
_DAY = "(({now} - interval '1 microsecond') at time zone 'Asia/Shanghai')::date"

_SETTING_UP = "interval '3 days'"
"""How long what is due is awaited where nothing was tried: of an installation from when its first feed is known, of a
feed that opens in one that has released from when it is known itself."""
IS_BEING_SET_UP = (
    "case when exists (select from ops.release) then false else coalesce(least("
    "(select min(started_at) from ops.attempt), (select min(started_at) from ops.batch),"
    " (select min(fetched_at) from ops.landed_object)) > now() - interval '1 day',"
    # A feed is known since a moment of the clock that deliveries are judged by.
    f" (select min(known_since) from ops.feed) > {MOMENT} - {_SETTING_UP}, true) end"
)
"""Whether this is a new installation, in SQL: it has a day from its first attempt, or until its first release, before
what has not come is late. Where nothing was ever tried that is late after `_SETTING_UP`, too."""

_IS_OPENING = (
    f"case when f.known_since > {{now}} - {_SETTING_UP} then not exists (select from ops.attempt as a"
    " where a.feed = f.feed and a.started_at < now() - interval '1 day') else false end"
)
"""Whether the feed *f* is new, in SQL: it has as long as a new installation before its history is late."""

LATE_STATES = frozenset({"late", "incomplete"})
"""States of feeds that owe something; of `threegaps.labels.FEED_STATES`."""
BAD_STATES = frozenset({"stopped", "failed", "failing", "unreachable"})
"""States of feeds of which nothing more comes until somebody mends something."""
QUIET_STATES = frozenset({"awaited", "in_time", "not_due", "paused", "closed", "retired"})
"""States of feeds that nobody need look at."""

ARRIVED = "least({}, (select judged_at - interval '1 day' from ops.delivery_clock))"
"""When what was fetched at a moment counts as arrived, in SQL: in the sandbox no later than its own day begins."""


def tone_of(state: str) -> Literal["bad", "warn", "good"]:
    """How grave it is that a feed stands in this state: somebody mends it, looks at it, or need not."""
    return "bad" if state in BAD_STATES else "good" if state in QUIET_STATES else "warn"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a feed stands by what it owes.

    Args:
        state: All of it in a word: a code of `threegaps.labels.FEED_STATES`.
        delivery: The latest delivery that is due and owed; None before the first, or where all is paused.
        due_at: When it was due, with its grace.
        next_delivery: The next one that is owed.
        next_due_at: When it will be due.
        last_delivery: The latest delivery that has come whole.
        last_arrived_at: When anything of the feed that is loaded was fetched last.
        late: Deliveries that are due and have not come, or not whole, the oldest first. Of lists and of changes only
            what no later delivery has brought too; of what was due before the feed was known here, only what follows
            the latest that came; of a feed that is closed none, nor what its contract names no more. While the
            installation is being set up, or the feed opens and owes its history alone, they are awaited.
        late_since: When the oldest of these was due, or the feed became known here where that is later.
        days_late: Days from that day to the one that is judged by; 0 on the day itself, and where nothing is late or
            it is awaited.
        deliveries_late: How many are late; 0 while they are awaited.
        incomplete: Deliveries of which a part has come, due or not.
        empty: Whether the latest one that is due came without a row.
        missing_counties: What deliveries that have come lack, of lists and of changes the latest one that is due:
            (delivery, county code); of a feed that is closed nothing.
        paused: Whether it is paused or closed on the day that is judged by.
        closed: Whether it is closed: a pause without a last day.
        paused_until: The last day of the pause; None where there is none, or no pause.
        pause_reason: Why it is paused.
        counties_missing: How many `missing_counties` are, also where they are not named.
    """

    feed: str
    title_zh: str
    title_en: str
    connection_id: str | None
    cadence: str | None
    due_day: str | None
    state: str
    delivery: str | None
    due_at: dt.datetime | None
    next_delivery: str | None
    next_due_at: dt.datetime | None
    last_delivery: str | None
    last_arrived_at: dt.datetime | None
    late: tuple[str, ...]
    late_since: dt.datetime | None
    days_late: int
    deliveries_late: int
    incomplete: tuple[str, ...]
    empty: bool
    missing_counties: tuple[tuple[str, str], ...]
    paused: bool
    closed: bool
    paused_until: dt.date | None
    pause_reason: str | None
    counties_missing: int = 0

    @property
    def department(self) -> str:
        """The department whose feed it is: the first part of its name."""
        return self.feed.partition("/")[0]

    def counties_lacking(self) -> dict[str, tuple[str, ...]]:
        """The codes of the counties that lack, by delivery."""
        lacking: dict[str, tuple[str, ...]] = {}
        for delivery, county in self.missing_counties:
            lacking[delivery] = (*lacking.get(delivery, ()), county)
        return lacking


def judged_at(connection: psycopg.Connection[Any], now: dt.datetime | None = None) -> dt.datetime:
    """The moment by which deliveries are judged: now, or the end of the sandbox's own day, in Shanghai's time.

    Args:
        now: By default the server's clock.
    """
    clock = MOMENT.replace("now()", "coalesce(%s::timestamptz, clock_timestamp())")
    row = connection.execute(f"select {clock}", [now]).fetchone()
    assert row is not None  # noqa: S101  # a select without a table always answers
    moment: dt.datetime = row[0]
    return moment.astimezone(SHANGHAI)


def judged_day(moment: dt.datetime) -> dt.date:
    """The day that is judged by at *moment*: midnight belongs to the day that it ends. `STANDING` says the same."""
    return last_moment(moment).astimezone(SHANGHAI).date()


def is_being_set_up(connection: psycopg.Connection[Any]) -> bool:
    """Whether this is a new installation; see `IS_BEING_SET_UP`."""
    row = connection.execute(f"select {IS_BEING_SET_UP}").fetchone()
    return row is not None and bool(row[0])


def set_clock(connection: psycopg.Connection[Any], sandbox_day: dt.date | None) -> None:
    """Say by which day deliveries are judged.

    Args:
        sandbox_day: The last day of which the sandbox's departments know anything: they hand it over on the day after,
            by the end of which is judged. None with real departments: by the clock.
    """
    if sandbox_day is None:
        connection.execute("delete from ops.delivery_clock")
        return
    connection.execute(
        "insert into ops.delivery_clock as c (judged_at) values (%s)"
        " on conflict (is_the_only) do update set judged_at = excluded.judged_at"
        " where c.judged_at <> excluded.judged_at",
        [sandbox_moment(sandbox_day)],
    )


def sandbox_moment(sandbox_day: dt.date) -> dt.datetime:
    """The end of the day on which the sandbox's departments hand over what they know of *sandbox_day*."""
    return dt.datetime.combine(sandbox_day + dt.timedelta(days=2), dt.time.min, SHANGHAI)


def settle(connection: psycopg.Connection[Any], feed: str, deliveries: Sequence[str]) -> None:
    """Note what has come of these deliveries, as the batches that are loaded say; within the caller's transaction."""
    wanted = {"feed": feed, "deliveries": list(deliveries)}
    connection.execute(_SETTLE, wanted)
    connection.execute(_SETTLE_WINDOWS, wanted)
    connection.execute(_SETTLE_COUNTIES, wanted)


def record_arrival(
    connection: psycopg.Connection[Any], feed: str, delivery: str, batch_id: int, counties: Iterable[tuple[str, int]]
) -> None:
    """Note what a batch that was loaded has brought; in the load's own transaction, after the batch is finished.

    Args:
        counties: The rows, accepted and refused, that it has of each county; of a feed that speaks county by county.
    """
    # As who enters what is owed, and who pauses: one counts at a time, each by what the others have committed.
    connection.execute("select 1 from ops.feed where feed = %s for update", [feed])
    for county_code, rows in counties:
        connection.execute(
            "insert into ops.batch_county (batch_id, county_code, rows) values (%s, %s, %s)",
            [batch_id, county_code, rows],
        )
    earlier = connection.execute(
        # A window of changes brings what earlier deliveries owe too.
        "select e.delivery from ops.expected_delivery as e join ops.feed as f using (feed)"
        " join ops.batch as b on b.batch_id = %s"
        " where e.feed = %s and e.county_code = '' and f.delivery_kind = 'changes' and e.completed_at is null"
        " and e.delivery_end < b.delivery_end",
        [batch_id, feed],
    ).fetchall()
    deliveries = [delivery, *(str(row[0]) for row in earlier)]
    settle(connection, feed, deliveries)
    summarise(connection, feed, deliveries)


def apply_pauses(connection: psycopg.Connection[Any], feed: str, deliveries: Sequence[str] | None = None) -> list[str]:
    """Mark what is not owed for a pause, and what is again; the deliveries of which that changed, in order.

    Args:
        deliveries: Those to look at; by default all of the feed.
    """
    wanted = {"feed": feed, "deliveries": None if deliveries is None else list(deliveries)}
    return sorted(changed_deliveries(connection.execute(_PAUSE, wanted)))


def changed_deliveries(changed: psycopg.Cursor[Any]) -> set[str]:
    """The deliveries that a statement has returned."""
    return {str(row[0]) for row in changed.fetchall()}


def summarise(connection: psycopg.Connection[Any], feed: str, deliveries: Sequence[str] | None = None) -> None:
    """Count anew what is owed and has come of these deliveries of a feed, by default of all, and of their periods."""
    sum_up(connection, feed, deliveries, judged_at(connection))


def standing(
    connection: psycopg.Connection[Any],
    now: dt.datetime | None = None,
    *,
    feed: str | None = None,
    names_counties: bool = True,
) -> list[Standing]:
    """How every feed that has a contract stands, by name.

    Args:
        now: The moment to judge by; by default `judged_at`.
        feed: The only one that is asked for: the counties that the others lack are not looked for.
        names_counties: Whether to look for the counties that lack, which takes most of the time where many do; else
            `Standing.missing_counties` is empty.
    """
    moment = judged_at(connection) if now is None else now
    wanted = "" if feed is None else "where s.feed = %(feed)s"
    named, lacking = ("c.missing_counties", _MISSING) if names_counties else ("null::text[] as missing_counties", "")
    query = f"select s.*, {named} from ({standing_at('%(now)s')}) as s {lacking} {wanted} order by s.feed"
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(query.encode(), {"now": moment, "feed": feed}).fetchall()
    return [row.standing() for row in rows]


def standing_at(moment: str) -> str:
    """`STANDING` by a moment that is given in SQL."""
    return STANDING.format(now=moment, day=_DAY.format(now=moment))


def counties_owing(
    connection: psycopg.Connection[Any], deliveries: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """How many counties owe their part of each of some deliveries.

    Args:
        deliveries: Feed and delivery.
    """
    if not deliveries:
        return {}
    found = connection.execute(
        "select feed, delivery, count(*) from ops.expected_delivery where county_code <> '' and not is_paused"
        " and is_current and (feed, delivery) in (select * from unnest(%s::text[], %s::text[]))"
        " group by feed, delivery",
        [[feed for feed, _ in deliveries], [delivery for _, delivery in deliveries]],
    ).fetchall()
    return {(str(feed), str(delivery)): int(count) for feed, delivery, count in found}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of `STANDING`."""

    feed: str
    title_zh: str
    title_en: str
    connection_id: str | None
    cadence: str | None
    due_day: str | None
    delivery: str | None
    due_at: dt.datetime | None
    next_delivery: str | None
    next_due_at: dt.datetime | None
    last_delivery: str | None
    last_arrived_at: dt.datetime | None
    late: list[str] | None
    late_since: dt.datetime | None
    days_late: int
    deliveries_late: int
    incomplete: list[str] | None
    is_empty: bool | None
    counties_missing: int | None
    missing_counties: list[list[str]] | None
    pause_kind: str | None
    paused_to: dt.date | None
    pause_reason: str | None
    state: str

    def standing(self) -> Standing:
        """The same in the form for others."""
        return Standing(
            feed=self.feed,
            title_zh=self.title_zh,
            title_en=self.title_en,
            connection_id=self.connection_id,
            cadence=self.cadence,
            due_day=self.due_day,
            state=self.state,
            delivery=self.delivery,
            due_at=_in_shanghai(self.due_at),
            next_delivery=self.next_delivery,
            next_due_at=_in_shanghai(self.next_due_at),
            last_delivery=self.last_delivery,
            last_arrived_at=_in_shanghai(self.last_arrived_at),
            late=tuple(self.late or ()),
            late_since=_in_shanghai(self.late_since),
            days_late=self.days_late,
            deliveries_late=self.deliveries_late,
            incomplete=tuple(self.incomplete or ()),
            empty=bool(self.is_empty),
            missing_counties=tuple((pair[0], pair[1]) for pair in self.missing_counties or ()),
            paused=self.pause_kind is not None,
            closed=self.pause_kind == "closure",
            paused_until=self.paused_to,
            pause_reason=self.pause_reason,
            counties_missing=self.counties_missing or 0,
        )


def _in_shanghai(moment: dt.datetime | None) -> dt.datetime | None:
    return None if moment is None else moment.astimezone(SHANGHAI)


# Each step is worked out once, whatever the server knows of the sizes of new tables.
# Rows of a batch that were sent as originals: corrections, repairs and decisions are none.
_ORIGINALS = f"""
original as materialized (
    select b.delivery, b.delivery_end, b.batch_id, b.received, b.is_complete,
        min({ARRIVED.format("l.fetched_at")}) as first_at, max({ARRIVED.format("l.fetched_at")}) as came_at,
        row_number() over (
            partition by b.delivery order by b.newest_object_id desc, b.order_number desc, b.batch_id desc
        ) as place
    from ops.batch as b
    inner join ops.batch_object as o using (batch_id)
    inner join ops.landed_object as l using (landed_object_id)
    where b.feed = %(feed)s and b.status = 'loaded' and not l.is_correction {{only}}
    group by b.batch_id
)
"""
_SETTLE = f"""
with {_ORIGINALS.format(only="and b.delivery = any(%(deliveries)s)")},
fact as materialized (
    select o.delivery,
        min(o.first_at) as first_at,
        coalesce(min(o.came_at) filter (where o.is_complete and o.received > 0),
            min(o.came_at) filter (where o.is_complete)) as whole_at,
        bool_or(o.is_complete) filter (where o.place = 1) as is_complete,
        -- windows add up; of anything else what was sent last stands
        case when f.delivery_kind = 'changes' then sum(o.received)
            else max(o.received) filter (where o.place = 1) end as rows
    from original as o
    inner join ops.feed as f on f.feed = %(feed)s
    group by o.delivery, f.delivery_kind
)
update ops.expected_delivery as e
set first_arrived_at = fact.first_at,
    completed_at = case when fact.is_complete then fact.whole_at end,
    rows = fact.rows,
    brought_by = null
from fact
where e.feed = %(feed)s and e.delivery = fact.delivery and e.county_code = ''
    and (e.first_arrived_at, e.completed_at, e.rows, e.brought_by)
    is distinct from (fact.first_at, case when fact.is_complete then fact.whole_at end, fact.rows, null)
"""
_SETTLE_WINDOWS = f"""
with {_ORIGINALS.format(only="")},
bringing as materialized (
    select e.delivery, later.came_at, later.delivery as brought_by
    from ops.expected_delivery as e
    inner join ops.feed as f on f.feed = e.feed and f.delivery_kind = 'changes'
    cross join lateral (
        select o.came_at, o.delivery from original as o
        where o.is_complete and o.delivery_end > e.delivery_end
        order by o.came_at, o.delivery_end limit 1
    ) as later
    where e.feed = %(feed)s and e.delivery = any(%(deliveries)s) and e.county_code = '' and e.completed_at is null
)
update ops.expected_delivery as e
set first_arrived_at = coalesce(e.first_arrived_at, bringing.came_at),
    completed_at = bringing.came_at,
    brought_by = bringing.brought_by
from bringing
where e.feed = %(feed)s and e.delivery = bringing.delivery and e.county_code = ''
"""

_SETTLE_COUNTIES = f"""
with {_ORIGINALS.format(only="and b.delivery = any(%(deliveries)s)")},
said as materialized (
    select b.delivery, k.county_code, k.rows, b.batch_id, min({ARRIVED.format("l.fetched_at")}) as came_at,
        bool_and(l.is_correction) as is_correction
    from ops.batch_county as k
    inner join ops.batch as b using (batch_id)
    inner join ops.batch_object as o using (batch_id)
    inner join ops.landed_object as l using (landed_object_id)
    where b.feed = %(feed)s and b.status = 'loaded' and b.delivery = any(%(deliveries)s)
    group by b.batch_id, k.county_code, k.rows
),
standing as materialized (
    -- what was sent last stands, and corrections beside it; windows all do
    select s.*, s.is_correction or f.delivery_kind = 'changes' or coalesce(o.place = 1, false) as is_standing
    from said as s
    inner join ops.feed as f on f.feed = %(feed)s
    left join original as o using (batch_id)
),
fact as materialized (
    select s.delivery, s.county_code,
        coalesce(min(s.came_at) filter (where s.rows > 0), min(s.came_at)) as came_at,
        sum(s.rows) filter (where s.is_standing) as rows
    from standing as s
    group by s.delivery, s.county_code
    having bool_or(s.is_standing)
),
owed as materialized (
    select e.delivery, e.county_code, fact.came_at, fact.rows
    from ops.expected_delivery as e
    left join fact using (delivery, county_code)
    where e.feed = %(feed)s and e.delivery = any(%(deliveries)s) and e.county_code <> ''
)
update ops.expected_delivery as e
set first_arrived_at = owed.came_at, completed_at = owed.came_at, rows = owed.rows
from owed
where e.feed = %(feed)s and e.delivery = owed.delivery and e.county_code = owed.county_code
    and (e.first_arrived_at, e.rows) is distinct from (owed.came_at, owed.rows)
"""
_PAUSE = """
with own as materialized (
    select e.delivery, e.county_code, coalesce(p.days @> daterange(e.delivery_start, e.delivery_end, '[]'), false)
        as is_paused
    from ops.expected_delivery as e
    cross join lateral (
        select range_agg(daterange(r.paused_from, r.paused_to, '[]')) as days
        from ops.reporting_pause as r
        where r.feed = e.feed and r.county_code in ('', e.county_code) and r.withdrawn_at is null
    ) as p
    where e.feed = %(feed)s and (%(deliveries)s::text[] is null or e.delivery = any(%(deliveries)s))
),
counties as materialized (
    select o.delivery, bool_and(o.is_paused) as are_paused from own as o where o.county_code <> '' group by o.delivery
),
wanted as materialized (
    -- a delivery that no county owes is not owed
    select o.delivery, o.county_code, o.is_paused or (o.county_code = '' and coalesce(c.are_paused, false)) as is_paused
    from own as o
    left join counties as c using (delivery)
)
update ops.expected_delivery as e
set is_paused = w.is_paused
from wanted as w
where e.feed = %(feed)s and e.delivery = w.delivery and e.county_code = w.county_code and e.is_paused <> w.is_paused
returning e.delivery
"""
# What is due and has not come counts before a pause, which covers later deliveries; what is closed owes nothing at all.
_STATE_OF_FEED = f"""
    case when p.kind = 'closure' then 'closed'
        when opened.late is not null or lacking.counties is not null then
            case when ({IS_BEING_SET_UP}) or (opened.is_history and lacking.counties is null and {_IS_OPENING})
                    then 'awaited'
                when opened.late is null or opened.late <@ opened.incomplete then 'incomplete'
                else 'late' end
        when p.kind = 'pause' then 'paused'
        when d.delivery is null then 'not_due'
        else 'in_time' end
"""
STANDING = (
    """
with open as materialized (
    -- by the index of what is open: a feed has years of what is not; and of what its contract named once nothing
    select e.feed, e.delivery, e.delivery_start, e.delivery_end, e.due_at, e.first_arrived_at, e.is_timed,
        e.due_at <= {now} as is_due
    from ops.expected_delivery as e
    where e.county_code = '' and e.completed_at is null and not e.is_paused and e.is_current
),
whole as (
    select f.feed, w.delivery, w.delivery_end
    from ops.feed as f
    cross join lateral (
        select e.delivery, e.delivery_end from ops.expected_delivery as e
        where e.feed = f.feed and e.county_code = '' and e.completed_at is not null and not e.is_paused
        order by e.delivery_end desc, e.delivery_start desc limit 1
    ) as w
),
opened as (
    select o.feed, array_agg(o.delivery order by o.delivery_end, o.delivery_start) filter (where o.is_due) as late,
        -- nobody was asked for it before
        min(greatest(o.due_at, case when isfinite(f.known_since) then f.known_since end)) filter (where o.is_due)
            as late_since,
        bool_and(not o.is_timed) filter (where o.is_due) as is_history,
        array_agg(o.delivery order by o.delivery_end, o.delivery_start) filter (
            where o.first_arrived_at is not null
        ) as incomplete
    from open as o
    inner join ops.feed as f using (feed)
    left join whole as w using (feed)
    -- a later list, or a later window of changes, has what an earlier one would have had; and whether a gap of
    -- before the feed was known here is a delay nobody can tell
    where (f.delivery_kind = 'full_period' and o.is_timed) or w.feed is null or o.delivery_end > w.delivery_end
    group by o.feed
),
latest as (
    select f.feed, d.delivery, d.due_at, d.rows
    from ops.feed as f
    cross join lateral (
        select e.delivery, e.due_at, e.rows from ops.expected_delivery as e
        where e.feed = f.feed and e.county_code = '' and e.due_at <= {now} and not e.is_paused and e.is_current
        order by e.delivery_end desc, e.delivery_start desc limit 1
    ) as d
),
lacking as (
    select s.feed, sum(s.lacking)::integer as counties
    from ops.delivery_summary as s
    inner join ops.feed as f using (feed)
    inner join latest as l using (feed)
    where s.lacking > 0 and s.due_at <= {now} and (f.delivery_kind = 'full_period' or s.delivery = l.delivery)
    group by s.feed
),
coming as (
    select distinct on (o.feed) o.feed, o.delivery, o.due_at
    from open as o
    where not o.is_due
    order by o.feed, o.delivery_end, o.delivery_start
),
arrived as (
    select f.feed, a.last_at
    from ops.feed as f
    cross join lateral (
        select max(e.first_arrived_at) as last_at from ops.expected_delivery as e
        where e.feed = f.feed and e.county_code = '' and e.first_arrived_at is not null
    ) as a
),
judged as materialized (
    select f.feed, f.title_zh, f.title_en, f.connection_id, f.cadence, f.due_day, d.delivery, d.due_at,
        n.delivery as next_delivery, n.due_at as next_due_at, w.delivery as last_delivery,
        arrived.last_at as last_arrived_at,
        case when p.kind is distinct from 'closure' then opened.late end as late,
        case when p.kind is distinct from 'closure' then opened.late_since end as late_since, opened.incomplete,
        d.rows = 0 as is_empty,
        case when p.kind is distinct from 'closure' then lacking.counties end as counties_missing,
        p.kind as pause_kind, p.paused_to, p.reason as pause_reason,"""
    + _STATE_OF_FEED
    + """as state
    from ops.feed as f
    left join whole as w using (feed)
    left join opened using (feed)
    left join lacking using (feed)
    left join latest as d using (feed)
    left join coming as n using (feed)
    left join arrived using (feed)
    left join lateral (
        select r.kind, r.paused_to, r.reason from ops.reporting_pause as r
        where r.feed = f.feed and r.county_code = '' and r.withdrawn_at is null
            and {day} between r.paused_from and coalesce(r.paused_to, 'infinity')
        order by r.paused_to desc nulls first limit 1
    ) as p on true
    where f.is_current and f.cadence is not null
)
select j.*, coalesce(l.days, 0) as days_late, coalesce(l.deliveries, 0) as deliveries_late
from judged as j
left join lateral (
    select greatest(0, {day} - (j.late_since at time zone 'Asia/Shanghai')::date) as days,
        cardinality(j.late) as deliveries
) as l on j.late is not null and j.state = any(array["""
    + ", ".join(f"'{state}'" for state in sorted(LATE_STATES))
    + """])
"""
)
"""How each feed stands, in SQL, with expressions for the moment and the day to judge by; see `Standing`."""
# Which counties lack, beside `STANDING` as *s*: by the index of what lacks.
_MISSING = """
left join lateral (
    select array_agg(
        array[c.delivery, c.county_code] order by c.delivery_end, c.delivery_start, c.county_code
    ) as missing_counties
    from ops.feed as f
    inner join ops.delivery_summary as d using (feed)
    inner join ops.expected_delivery as c using (feed, delivery)
    where f.feed = s.feed and s.counties_missing > 0 and d.lacking > 0 and d.due_at <= %(now)s
        and (f.delivery_kind = 'full_period' or d.delivery = s.delivery)
        and c.county_code <> '' and c.first_arrived_at is null and not c.is_paused and c.is_current
) as c on true
"""
