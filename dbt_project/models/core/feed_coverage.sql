with

build_now as (
    select * from {{ source('ops', 'build_now') }}
),

build_coverage as (
    select * from {{ source('ops', 'build_coverage') }}
),

ledger_coverage as (
    select * from {{ source('ops', 'feed_coverage') }}
),

seed_published_skill_share as (
    select * from {{ ref('seed_published_skill_share') }}
),

-- a build covers what it claimed, whatever is loaded while it runs
claimed as (
    select
        build_coverage.feed,
        build_coverage.covered_from,
        build_coverage.covered_to
    from build_coverage
    inner join build_now
        on build_coverage.build_id = build_now.build_id
),

-- run by hand, dbt takes what the ledger has
loaded as (
    select
        feed,
        covered_from,
        covered_to
    from ledger_coverage
    where not exists (select 1 from build_now)
),

published as (
    select
        'seed/published_skill_share' as feed,
        min(seed_published_skill_share.as_of) as covered_from,
        least(max(seed_published_skill_share.as_of), max(build_now.as_of)) as covered_to
    from seed_published_skill_share
    left join build_now
        on true
    where
        seed_published_skill_share.kind = 'actual'
        and coalesce(
            seed_published_skill_share.share_of_employed_pct,
            seed_published_skill_share.high_skilled_share_pct,
            seed_published_skill_share.skilled_10k,
            seed_published_skill_share.high_skilled_10k
        ) is not null
)

select * from claimed
union all
select * from loaded
union all
select * from published
