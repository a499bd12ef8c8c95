with

build_now as (
    select * from {{ source('ops', 'build_now') }}
),

build_horizon as (
    select * from {{ source('ops', 'build_horizon') }}
),

batch as (
    select * from {{ source('ops', 'batch') }}
),

seed_published_skill_share as (
    select * from {{ ref('seed_published_skill_share') }}
),

-- a build reaches as far as it claimed, whatever is loaded while it runs
claimed as (
    select
        build_horizon.feed,
        build_horizon.horizon_date
    from build_horizon
    inner join build_now
        on build_horizon.build_id = build_now.build_id
),

-- run by hand, dbt takes what the ledger has
loaded as (
    select
        feed,
        max(delivery_end) as horizon_date
    from batch
    where
        status = 'loaded'
        and is_complete
        and not exists (select 1 from build_now)
    group by feed
),

published as (
    select
        'seed/published_skill_share' as feed,
        least(max(seed_published_skill_share.as_of), max(build_now.as_of)) as horizon_date
    from seed_published_skill_share
    left join build_now
        on true
    where
        seed_published_skill_share.kind = 'actual'
        and seed_published_skill_share.share_of_employed_pct is not null
)

select * from claimed
union all
select * from loaded
union all
select * from published
