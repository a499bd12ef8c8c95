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
)

select * from claimed
union all
select * from loaded
