"""Who has reported what, county by county: of each feed that is owed so the newest delivery that is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.duty.reading.names import Names, area_names
from threegaps.ledger import expected
from threegaps.ledger.expected import judged_day
from threegaps.ledger.summaries import COUNTS, STATE, counted
from threegaps.settings import SHANGHAI

MOST_LACKING = 200
"""So many deliveries that a county lacks are listed."""
LOOKED_AT = 100
"""In so many of a feed's last deliveries that lack anything: of years of days all would take seconds."""

# By the index of what is due: of some years of a daily feed, which are millions of rows of counties, one delivery.
_NEWEST = """
newest as materialized (
    select f.feed, f.title_zh, f.title_en, f.delivery_kind, d.delivery, d.delivery_end, d.due_at
    from ops.feed as f cross join lateral (
        select s.delivery, s.delivery_end, s.due_at from ops.delivery_summary as s
        where s.feed = f.feed and s.due_at <= %(moment)s and s.expected > 0
        order by s.due_at desc, s.delivery_end desc limit 1
    ) as d
    -- of a feed that is closed nobody wants anything
    where f.is_current and not exists (
        select from ops.reporting_pause as r
        where r.feed = f.feed and r.county_code = '' and r.kind = 'closure' and r.withdrawn_at is null
            and %(today)s between r.paused_from and coalesce(r.paused_to, 'infinity')
    )
)"""
_IS_OWED = "e.county_code <> '' and e.is_current and not e.is_paused"
_FEEDS = f"""
with {_NEWEST}
select n.feed, n.title_zh, n.title_en, n.delivery, n.due_at
from newest as n
where exists (
    select from ops.expected_delivery as e where e.feed = n.feed and e.delivery = n.delivery and {_IS_OWED}
)
order by n.feed
"""
_COUNTED = ", ".join(f"sum({count})::integer as {name}" for name, count in zip(COUNTS, counted("e.state"), strict=True))
_TILES = f"""
with {_NEWEST}
select e.county_code, {_COUNTED},
    count(*) filter (where e.state = 'missing' and e.feed = any(%(awaited)s))::integer as awaited
from (
    select e.county_code, n.feed, {STATE.format(e="e")} as state
    from newest as n join ops.expected_delivery as e using (feed, delivery)
    where {_IS_OWED} and (%(feed)s::text is null or n.feed = %(feed)s)
) as e
group by e.county_code
"""
_OF_COUNTY = f"""
with {_NEWEST}
select n.feed, n.title_zh, n.title_en, n.delivery, n.due_at, e.completed_at as arrived_at, e.rows,
    {STATE.format(e="e")} as state
from newest as n join ops.expected_delivery as e using (feed, delivery)
where e.county_code = %(county)s and {_IS_OWED}
order by n.feed
"""
# Of a list, or of changes, a later delivery has what an earlier one would have had: only the newest one lacks. Of what
# was due before the feed was known here only that lacks of which others have come, as `expected.standing` says.
_LACKING = f"""
with {_NEWEST}
select n.feed, n.title_zh, n.title_en, l.delivery, l.due_at
from (select * from newest where feed <> all(%(awaited)s)) as n cross join lateral (
    select e.delivery, e.due_at
    from ops.expected_delivery as e
    where n.delivery_kind <> 'full_period' and e.feed = n.feed and e.delivery = n.delivery
        and e.county_code = %(county)s and e.first_arrived_at is null and {_IS_OWED}
    union all
    select e.delivery, e.due_at
    from (
        select d.feed, d.delivery, d.lacking from ops.delivery_summary as d
        where d.feed = n.feed and d.due_at <= %(moment)s and d.arrived < d.expected
        order by d.due_at desc limit %(looked)s
    ) as s join ops.expected_delivery as e using (feed, delivery)
    where n.delivery_kind = 'full_period' and e.county_code = %(county)s and e.first_arrived_at is null
        and (e.is_timed or s.lacking > 0) and {_IS_OWED}
) as l
order by l.due_at desc, n.feed
"""


@dataclass(frozen=True, slots=True)
class CountyFeed:
    """A feed that is owed county by county, and its newest delivery that is due."""

    feed: str
    title_zh: str | None
    title_en: str | None
    delivery: str
    due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """What of the newest deliveries a county owed, and what has come of it, as ``reporting_rate`` counts."""

    county_code: str
    expected: int
    arrived: int
    on_time: int
    late: int
    empty: int
    incomplete: int
    untimed: int
    awaited: int

    @property
    def missing(self) -> int:
        """How many have not come, and are not awaited of a feed that is only being set up."""
        return self.expected - self.arrived - self.awaited

    @property
    def state(self) -> str:
        """``all`` in time, ``late`` (all there, some of it late, empty or not whole), ``untimed`` (all there, and of
        some nobody can tell whether in time), ``awaited`` (of a feed that is being set up), ``some`` missing, or
        ``none``."""
        if self.missing:
            return "some" if self.arrived else "none"
        if self.awaited:
            return "awaited"
        if self.late or self.empty or self.incomplete:
            return "late"
        return "untimed" if self.untimed else "all"


@dataclass(frozen=True, slots=True)
class Lacking:
    """A delivery that a county has not reported.

    Args:
        days_late: Days from the one on which it was due to the one that is judged by.
    """

    feed: str
    title_zh: str | None
    title_en: str | None
    delivery: str
    due_at: dt.datetime
    days_late: int


@dataclass(frozen=True, slots=True)
class CountyDelivery:
    """A county's part of the newest delivery of a feed.

    Args:
        state: A code of `threegaps.labels.DELIVERY_STATES`.
        rows: How many it has; None before it has come.
    """

    feed: str
    title_zh: str | None
    title_en: str | None
    delivery: str
    due_at: dt.datetime
    arrived_at: dt.datetime | None
    rows: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Counties:
    """All that the page of all counties shows.

    Args:
        judged_at: The moment by which deliveries are judged.
        feeds: Those that are owed county by county.
        tiles: By county; of one that owes nothing none.
        names: Of areas.
    """

    judged_at: dt.datetime
    feeds: Sequence[CountyFeed]
    tiles: Mapping[str, Reported]
    names: Names


@dataclass(frozen=True, slots=True)
class CountySeen:
    """All that a county's page shows.

    Args:
        lacking: What it has not reported, the latest due first; at most `MOST_LACKING`.
        is_cut: Whether there is more.
        newest: Its part of the newest delivery of each feed.
        name: What it is called, in Chinese and in English.
    """

    judged_at: dt.datetime
    lacking: Sequence[Lacking]
    is_cut: bool
    newest: Sequence[CountyDelivery]
    name: tuple[str, str]


def read_counties(connection: psycopg.Connection[Any], feed: str | None = None) -> Counties:
    """How counties have reported the newest due delivery of *feed*, by default of every feed."""
    moment = expected.judged_at(connection)
    wanted = {"moment": moment, "today": judged_day(moment), "feed": feed, "awaited": _awaited(connection, moment)}
    with connection.cursor(row_factory=class_row(CountyFeed)) as cursor:
        feeds = cursor.execute(_FEEDS.encode(), wanted).fetchall()
    with connection.cursor(row_factory=class_row(Reported)) as cursor:
        tiles = cursor.execute(_TILES.encode(), wanted).fetchall()
    return Counties(moment, feeds, {one.county_code: one for one in tiles}, area_names(connection))


def read_county(connection: psycopg.Connection[Any], county_code: str) -> CountySeen:
    """What a county has not reported, and what has come of its part of the newest deliveries."""
    moment = expected.judged_at(connection)
    today = judged_day(moment)
    wanted: dict[str, Any] = {
        "moment": moment,
        "today": today,
        "county": county_code,
        "awaited": _awaited(connection, moment),
        "most": MOST_LACKING + 1,
        "looked": LOOKED_AT,
    }
    found = connection.execute(f"{_LACKING} limit %(most)s".encode(), wanted).fetchall()
    lacking = [
        Lacking(feed, zh, en, delivery, due_at, max(0, (today - due_at.astimezone(SHANGHAI).date()).days))
        for feed, zh, en, delivery, due_at in found
    ]
    with connection.cursor(row_factory=class_row(CountyDelivery)) as cursor:
        newest = [
            replace(one, state="awaited") if one.state == "missing" and one.feed in wanted["awaited"] else one
            for one in cursor.execute(_OF_COUNTY.encode(), wanted).fetchall()
        ]
    return CountySeen(
        moment,
        lacking[:MOST_LACKING],
        is_cut=len(lacking) > MOST_LACKING,
        newest=newest,
        name=area_names(connection).get(county_code, (county_code, county_code)),
    )


def _awaited(connection: psycopg.Connection[Any], moment: dt.datetime) -> list[str]:
    """Feeds whose first data are awaited: of them nothing is missing yet."""
    return [one.feed for one in expected.standing(connection, moment, names_counties=False) if one.state == "awaited"]
