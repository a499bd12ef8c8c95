{{ indicator_config() }}

with

published_shares as (
    select * from {{ ref('seed_published_skill_share') }}
),

slices as (
    {{ affected_slices() }}
),

shares as (
    select
        area_code,
        as_of as period_end,
        share_of_employed_pct
    from published_shares
    where
        kind = 'actual'
        and share_of_employed_pct is not null
),

-- the day that a figure speaks of is the end of a year, or a day of its own
printed as (
    {{ in_slices('shares', match=['period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        share_of_employed_pct as value
    from printed
)

{{ base_cells(['value']) }}
