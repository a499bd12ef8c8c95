{{ indicator_config() }}

with

wage_spread as (
    select *
    from {{ ref('int_area_wage_spread') }}
    where period_end = year_end
),

slices as (
    {{ affected_slices() }}
),

spread as (
    {{ in_slices('wage_spread', match=['period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        round(gini, 12) as value,
        n_persons
    from spread
)

{{ base_cells(['value', 'n_persons']) }}
