"""What is kept in sums, counted live from what is owed and from the batches: slow, and always right."""

from __future__ import annotations

RATES = """
with moment as (select coalesce((select judged_at from ops.delivery_clock), now()) as judged_at),
owed as (
    select e.*, min(e.due_at) over delivery <= m.judged_at as is_due,
        max(e.county_code) over delivery <> '' as by_county,
        case when e.first_arrived_at is null then 'missing' when e.rows = 0 then 'empty'
            when e.completed_at is null then 'incomplete' when e.completed_at <= e.due_at then 'on_time'
            when e.is_timed then 'late' else 'untimed' end as state
    from ops.expected_delivery as e cross join moment as m
    window delivery as (partition by e.feed, e.delivery)
),
unit as (
    select o.feed, a.area_code, o.cadence, o.delivery_end, o.state
    from owed as o
    cross join lateral (values ('330000'), (o.county_code)) as a (area_code)
    where o.is_due and not o.is_paused and (o.county_code <> '' or not o.by_county) and a.area_code <> ''
),
period as (
    select u.*, p.period_type, date_trunc(p.period_type, u.delivery_end)::date as period_start,
        (date_trunc(p.period_type, u.delivery_end) + p.length - interval '1 day')::date as period_end
    from unit as u
    inner join (values
        ('month', interval '1 month', '{day, month}'::text[]),
        ('quarter', interval '3 months', '{day, month, quarter}'),
        ('year', interval '1 year', '{day, month, quarter, term, year}')
    ) as p (period_type, length, cadences) on u.cadence = any(p.cadences)
)
select feed, area_code, period_type, period_start, period_end, count(*) as expected,
    count(*) filter (where state <> 'missing') as arrived, count(*) filter (where state = 'on_time') as on_time,
    count(*) filter (where state = 'late') as late, count(*) filter (where state = 'empty') as empty,
    count(*) filter (where state = 'incomplete') as incomplete, count(*) filter (where state = 'untimed') as untimed
from period
group by feed, area_code, period_type, period_start, period_end
"""
"""The counts of ``marts.reporting_rate``."""

LATEST_JUDGEMENTS = """
select batch.batch_id from ops.batch as batch
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
)
"""
"""The batches on which the counts of their deliveries rest."""

TOTALS = f"""
with judged as (
    select b.feed, sum(b.received) as received, sum(b.accepted) as accepted, sum(b.refused) as refused,
        sum(b.duplicates) as duplicates
    from ops.batch as b where b.batch_id in ({LATEST_JUDGEMENTS}) group by b.feed
)
select b.feed, count(*) filter (where b.status = 'loaded'), count(*) filter (where b.status = 'stopped'),
    count(*) filter (where b.status = 'failed'), max(b.finished_at) filter (where b.status = 'loaded'),
    coalesce(j.received, 0), coalesce(j.accepted, 0), coalesce(j.refused, 0), coalesce(j.duplicates, 0),
    (select count(*) from quarantine.refused_row as r where r.feed = b.feed and r.closed_by_batch_id is null),
    (select min(c.covered_to) from ops.feed_coverage as c where c.feed = b.feed)
from ops.batch as b left join judged as j using (feed)
group by b.feed, j.received, j.accepted, j.refused, j.duplicates
"""
"""What ``marts.feed_health`` says of the batches of feeds that have any."""
