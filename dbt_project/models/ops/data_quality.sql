with

judgement as (
    select
        batch_id,
        feed,
        delivery
    from {{ source('ops', 'batch') }}
    -- what was sent again counts as it was judged last; corrections and repairs are no rows of a delivery's own
    where is_latest_judgement
),

result as (
    select
        judgement.feed,
        judgement.delivery,
        check_result.rule,
        check_result.column_name,
        check_result.action,
        check_result.evaluated,
        check_result.unexpected
    from {{ source('ops', 'check_result') }} as check_result
    inner join judgement
        on check_result.batch_id = judgement.batch_id
)

select
    feed,
    delivery,
    rule,
    max(column_name) as column_name,
    max(action) as action,
    sum(evaluated)::bigint as rows_evaluated,
    sum(unexpected)::bigint as rows_unexpected,
    round(sum(unexpected) * 100.0 / nullif(sum(evaluated), 0), 4) as unexpected_percent
from result
group by feed, delivery, rule
