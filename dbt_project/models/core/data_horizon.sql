with

loaded as (
    select
        feed,
        {{ delivery_end('delivery') }} as delivery_end
    from {{ source('ops', 'batch') }}
    where
        status = 'loaded'
        and is_complete
),

published as (
    select max(as_of) as horizon_date
    from {{ ref('seed_published_skill_share') }}
    where
        kind = 'actual'
        and share_of_employed_pct is not null
)

select
    feed,
    max(delivery_end) as horizon_date
from loaded
group by feed

union all

select
    'seed/published_skill_share' as feed,
    horizon_date
from published
