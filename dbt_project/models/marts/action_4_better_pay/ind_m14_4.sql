{{ indicator_config() }}

with

area_medians as (
    select * from {{ ref('int_area_wage_median') }}
),

slices as (
    {{ affected_slices() }}
),

medians as (
    {{ in_slices('area_medians', match=['period_type', 'period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'skill_level' as breakdown,
        level_group as breakdown_value,
        round(median_cny_month, 4) as value,
        n_persons
    from medians
    where level_group in ('5', '4', '3', '2', '1', 'T', 'S', 'none')
)

{{ base_cells(['value', 'n_persons']) }}
