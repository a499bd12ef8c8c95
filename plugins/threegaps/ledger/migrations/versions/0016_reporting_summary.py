"""What readers ask of reporting is kept when it is written: rates by area and period, and latest judgements.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# A delivery's key says its cadence, also that of a time when the contract had another.
_CADENCE = r"""
alter table ops.expected_delivery add column cadence text;
alter table ops.delivery_summary add column cadence text;
update ops.expected_delivery set cadence = case
    when delivery ~ '^\d{4}-\d{2}-\d{2}$' then 'day'
    when delivery ~ '^\d{4}-\d{2}$' then 'month'
    when delivery ~ '^\d{4}Q[1-4]$' then 'quarter'
    when delivery ~ '^\d{4}-\d{4}-[12]$' then 'term'
    else 'year'
end;
update ops.delivery_summary as s
set cadence = e.cadence
from (select distinct feed, delivery, cadence from ops.expected_delivery) as e
where e.feed = s.feed and e.delivery = s.delivery;
-- one that nothing is owed of any more
delete from ops.delivery_summary where cadence is null;
alter table ops.expected_delivery
    alter column cadence set not null,
    add constraint expected_delivery_cadence check (cadence in ('day', 'month', 'quarter', 'term', 'year'));
alter table ops.delivery_summary alter column cadence set not null;
comment on column ops.expected_delivery.cadence is
    'How often the feed came when this was entered: a contract that changes changes no period of the past.';
"""
# Every period that readers ask for is kept, not only the shortest: a year of all feeds and counties is read as its own
# rows, not summed from twelve times as many. A quarter is counted from its months, a year from its quarters.
_SUMMARY = """
create table ops.reporting_summary (
    feed text not null references ops.feed,
    area_code text not null,
    area_level text not null check (area_level in ('province', 'county')),
    period_type text not null check (period_type in ('month', 'quarter', 'year')),
    period_start date not null,
    period_end date not null,
    expected integer not null check (expected >= 0),
    arrived integer not null,
    on_time integer not null check (on_time >= 0),
    late integer not null check (late >= 0),
    empty integer not null check (empty >= 0),
    incomplete integer not null check (incomplete >= 0),
    untimed integer not null check (untimed >= 0),
    primary key (feed, area_code, period_type, period_start),
    constraint reporting_summary_within check (arrived between 0 and expected),
    constraint reporting_summary_adds_up check (arrived = on_time + late + empty + incomplete + untimed)
);
create index reporting_summary_by_area on ops.reporting_summary (area_code, period_type, period_start);
create index reporting_summary_by_period on ops.reporting_summary (period_type, period_start);
comment on table ops.reporting_summary is
    'What of ops.expected_delivery was due at ops.feed.summed_to, by feed, area and period, kept when that is written.';

alter table ops.feed add column summed_to timestamptz;
comment on column ops.feed.summed_to is
    'What was due by this moment is in ops.reporting_summary; whoever reads it adds what has become due since.';
update ops.feed set summed_to = coalesce((select judged_at from ops.delivery_clock), now());

insert into ops.reporting_summary (feed, area_code, area_level, period_type, period_start, period_end, expected,
    arrived, on_time, late, empty, incomplete, untimed)
select u.feed, u.area_code, u.area_level, p.period_type, p.period_start,
    (p.period_start + p.length - interval '1 day')::date,
    sum(u.expected), sum(u.arrived), sum(u.on_time), sum(u.late), sum(u.empty), sum(u.incomplete), sum(u.untimed)
from (
    select s.feed, '330000' as area_code, 'province' as area_level, s.cadence, s.delivery_end, d.is_due * s.expected,
        d.is_due * s.arrived, d.is_due * s.on_time, d.is_due * s.late, d.is_due * s.empty, d.is_due * s.incomplete,
        d.is_due * s.untimed
    from ops.delivery_summary as s
    inner join ops.feed as f using (feed)
    cross join lateral (select (s.due_at <= f.summed_to)::integer as is_due) as d
    union all
    select e.feed, e.county_code, 'county', e.cadence, e.delivery_end, d.is_due,
        d.is_due * (e.state <> 'missing')::integer, d.is_due * (e.state = 'on_time')::integer,
        d.is_due * (e.state = 'late')::integer, d.is_due * (e.state = 'empty')::integer,
        d.is_due * (e.state = 'incomplete')::integer, d.is_due * (e.state = 'untimed')::integer
    from (
        select e.*, case when e.first_arrived_at is null then 'missing' when e.rows = 0 then 'empty'
            when e.completed_at is null then 'incomplete' when e.completed_at <= e.due_at then 'on_time'
            when e.is_timed then 'late' else 'untimed' end as state
        from ops.expected_delivery as e where e.county_code <> ''
    ) as e
    inner join ops.delivery_summary as s using (feed, delivery)
    inner join ops.feed as f using (feed)
    cross join lateral (select (s.due_at <= f.summed_to and not e.is_paused)::integer as is_due) as d
) as u (feed, area_code, area_level, cadence, delivery_end, expected, arrived, on_time, late, empty, incomplete,
    untimed)
cross join lateral (
    values ('month', date_trunc('month', u.delivery_end)::date, interval '1 month', array['day', 'month']),
        ('quarter', date_trunc('quarter', u.delivery_end)::date, interval '3 months', array['day', 'month', 'quarter']),
        ('year', date_trunc('year', u.delivery_end)::date, interval '1 year',
            array['day', 'month', 'quarter', 'term', 'year'])
) as p (period_type, period_start, length, cadences)
where u.cadence = any(p.cadences)
group by u.feed, u.area_code, u.area_level, p.period_type, p.period_start, p.length;
"""
_JUDGEMENT = """
alter table ops.batch add column is_latest_judgement boolean not null default false;
comment on column ops.batch.is_latest_judgement is
    'The counts of its delivery rest on it: it is loaded, and no later original of the same parts is.';
update ops.batch as batch
set is_latest_judgement = true
where batch.status = 'loaded' and exists (
    select from ops.batch_object as judged
    inner join ops.landed_object as landed using (landed_object_id)
    where judged.batch_id = batch.batch_id and not landed.is_correction and not exists (
        select from ops.batch as later
        inner join ops.batch_object as judged_later on later.batch_id = judged_later.batch_id
        inner join ops.landed_object as landed_later on judged_later.landed_object_id = landed_later.landed_object_id
        where later.feed = batch.feed and later.delivery = batch.delivery and later.status = 'loaded'
            and (later.order_number, later.batch_id) > (batch.order_number, batch.batch_id)
            and (later.is_whole or landed_later.part = landed.part) and not landed_later.is_correction
    )
);
"""
_INDEXES = """
create index expected_delivery_open on ops.expected_delivery (feed, delivery_start)
    where county_code = '' and completed_at is null and not is_paused;
create index expected_delivery_arrived on ops.expected_delivery (feed, first_arrived_at)
    where county_code = '' and first_arrived_at is not null;
create index delivery_summary_by_due on ops.delivery_summary (feed, due_at);
create index delivery_summary_lacking on ops.delivery_summary (feed, delivery) where arrived < expected;
"""
# What the coverage of one feed costs is asked at each load: a condition on the feed goes to the bottom.
_TOTALS = """
create or replace view ops.feed_coverage as
with delivered as not materialized (
    select distinct b.feed, b.delivery_start, b.delivery_end
    from ops.batch as b
    where b.status = 'loaded' and b.is_complete
),
reaching as (
    select d.*, max(d.delivery_end) over (
        partition by d.feed order by d.delivery_start, d.delivery_end
        rows between unbounded preceding and 1 preceding
    ) as reached_before
    from delivered as d
),
numbered as (
    select r.*, count(*) filter (where r.delivery_start > r.reached_before + 1) over (
        partition by r.feed order by r.delivery_start, r.delivery_end
    ) as range_number
    from reaching as r
)
select n.feed, min(n.delivery_start) as covered_from, max(n.delivery_end) as covered_to
from numbered as n left join ops.feed as f using (feed)
where coalesce(f.delivery_kind, 'full_period') = 'full_period'
group by n.feed, n.range_number
union all
select d.feed, least(f.first_day, min(d.delivery_start)), max(d.delivery_end)
from delivered as d join ops.feed as f using (feed)
where f.delivery_kind <> 'full_period'
group by d.feed, f.first_day;

create table ops.feed_totals (
    feed text primary key,
    batches_loaded integer not null default 0,
    batches_stopped integer not null default 0,
    batches_failed integer not null default 0,
    last_loaded_at timestamptz,
    received bigint,
    accepted bigint,
    refused bigint,
    duplicates bigint,
    refused_open bigint not null default 0,
    complete_to date
);
comment on table ops.feed_totals is
    'What the batches of each feed come to, kept when one of them is begun, loaded, stopped or has failed.';
comment on column ops.feed_totals.received is
    'Of the latest judgements, as the three after it; null before there is one.';
comment on column ops.feed_totals.complete_to is 'The last day of the last delivery before the first gap.';
insert into ops.feed_totals
select b.feed, count(*) filter (where b.status = 'loaded'), count(*) filter (where b.status = 'stopped'),
    count(*) filter (where b.status = 'failed'), max(b.finished_at) filter (where b.status = 'loaded'),
    sum(b.received) filter (where b.is_latest_judgement), sum(b.accepted) filter (where b.is_latest_judgement),
    sum(b.refused) filter (where b.is_latest_judgement), sum(b.duplicates) filter (where b.is_latest_judgement),
    (select count(*) from quarantine.refused_row as r where r.feed = b.feed and r.closed_by_batch_id is null),
    (select min(c.covered_to) from ops.feed_coverage as c where c.feed = b.feed)
from ops.batch as b
group by b.feed;
"""


def upgrade() -> None:
    """Make them, and fill them from what the ledger has."""
    for statement in (_CADENCE, _SUMMARY, _JUDGEMENT, _INDEXES, _TOTALS):
        op.execute(statement)
