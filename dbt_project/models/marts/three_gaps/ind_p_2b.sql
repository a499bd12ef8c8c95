{{ indicator_config() }}

with

published_figures as (
    select * from {{ ref('seed_published_skill_share') }}
),

slices as (
    {{ affected_slices() }}
),

figures as (
    select
        area_code,
        as_of as period_end,
        high_skilled_10k
    from published_figures
    where
        kind = 'actual'
        and high_skilled_10k is not null
),

-- the day that a figure speaks of is the end of a year, or a day of its own
printed as (
    {{ in_slices('figures', match=['period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        high_skilled_10k as value
    from printed
)

{{ base_cells(['value']) }}
