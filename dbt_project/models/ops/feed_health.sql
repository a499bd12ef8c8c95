with

batch as (
    select * from {{ source('ops', 'batch') }}
),

judgement as (
    {{ latest_judgements() }}
),

totals as (
    select
        feed,
        count(*) filter (where status = 'loaded')::integer as batches_loaded,
        count(*) filter (where status = 'stopped')::integer as batches_stopped,
        count(*) filter (where status = 'failed')::integer as batches_failed,
        max(finished_at) filter (where status = 'loaded') as last_loaded_at
    from batch
    group by feed
),

judged as (
    select
        feed,
        sum(received)::bigint as rows_received,
        sum(accepted)::bigint as rows_accepted,
        sum(refused)::bigint as rows_refused,
        sum(duplicates)::bigint as rows_duplicate
    from judgement
    group by feed
),

-- corrections and repairs are no deliveries: their few rows would read as a feed that collapsed
judged_delivery as (
    select batch.*
    from batch
    where exists (
        select 1
        from {{ source('ops', 'batch_object') }} as judged
        inner join {{ source('ops', 'landed_object') }} as landed
            on judged.landed_object_id = landed.landed_object_id
        where
            judged.batch_id = batch.batch_id
            and not landed.is_correction
    )
),

latest as (
    select distinct on (feed)
        feed,
        delivery as last_delivery,
        status as last_status,
        received as last_received,
        refused as last_refused,
        stop_rule as last_stop_rule
    from judged_delivery
    order by feed asc, delivery desc, batch_id desc
),

waiting as (
    select
        feed,
        count(*)::bigint as refused_open
    from {{ source('quarantine', 'refused_row') }}
    where closed_by_batch_id is null
    group by feed
),

-- complete to where the first gap begins
complete as (
    select
        feed,
        min(covered_to) as complete_to
    from {{ ref('feed_coverage') }}
    group by feed
)

select
    totals.feed,
    latest.last_delivery,
    latest.last_status,
    latest.last_received,
    latest.last_refused,
    latest.last_stop_rule,
    totals.batches_loaded,
    totals.batches_stopped,
    totals.batches_failed,
    coalesce(judged.rows_received, 0) as rows_received,
    coalesce(judged.rows_accepted, 0) as rows_accepted,
    coalesce(judged.rows_refused, 0) as rows_refused,
    coalesce(judged.rows_duplicate, 0) as rows_duplicate,
    round(judged.rows_refused * 100.0 / nullif(judged.rows_received, 0), 4) as refused_percent,
    coalesce(waiting.refused_open, 0) as refused_open,
    complete.complete_to,
    totals.last_loaded_at
from totals
inner join latest
    on totals.feed = latest.feed
left join judged
    on totals.feed = judged.feed
left join waiting
    on totals.feed = waiting.feed
left join complete
    on totals.feed = complete.feed
