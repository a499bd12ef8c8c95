with

batch as (
    select
        *,
        {{ delivery_end('delivery') }} as delivery_end
    from {{ source('ops', 'batch') }}
),

totals as (
    select
        feed,
        count(*) filter (where status = 'loaded')::integer as batches_loaded,
        count(*) filter (where status = 'stopped')::integer as batches_stopped,
        count(*) filter (where status = 'failed')::integer as batches_failed,
        coalesce(sum(received) filter (where status = 'loaded'), 0)::bigint as rows_received,
        coalesce(sum(accepted) filter (where status = 'loaded'), 0)::bigint as rows_accepted,
        coalesce(sum(refused) filter (where status = 'loaded'), 0)::bigint as rows_refused,
        coalesce(sum(duplicates) filter (where status = 'loaded'), 0)::bigint as rows_duplicate,
        max(delivery_end) filter (where status = 'loaded') as complete_to,
        max(finished_at) filter (where status = 'loaded') as last_loaded_at
    from batch
    group by feed
),

latest as (
    select distinct on (feed)
        feed,
        delivery as last_delivery,
        status as last_status,
        received as last_received,
        refused as last_refused,
        stop_rule as last_stop_rule,
        message_zh as last_message_zh
    from batch
    order by feed asc, batch_id desc
),

waiting as (
    select
        feed,
        count(*)::bigint as refused_open
    from {{ source('quarantine', 'refused_row') }}
    where closed_by_batch_id is null
    group by feed
)

select
    totals.feed,
    latest.last_delivery,
    latest.last_status,
    latest.last_received,
    latest.last_refused,
    latest.last_stop_rule,
    latest.last_message_zh,
    totals.batches_loaded,
    totals.batches_stopped,
    totals.batches_failed,
    totals.rows_received,
    totals.rows_accepted,
    totals.rows_refused,
    totals.rows_duplicate,
    round(totals.rows_refused * 100.0 / nullif(totals.rows_received, 0), 4) as refused_percent,
    coalesce(waiting.refused_open, 0) as refused_open,
    totals.complete_to,
    totals.last_loaded_at
from totals
inner join latest
    on totals.feed = latest.feed
left join waiting
    on totals.feed = waiting.feed
