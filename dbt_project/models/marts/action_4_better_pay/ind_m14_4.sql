{{ indicator_config('M14-4') }}

with

area_medians as (
    select * from {{ ref('int_area_wage_median') }}
),

slices as (
    {{ affected_slices('M14-4') }}
),

medians as (
    {{ in_slices('area_medians', match=['period_type', 'period_start', 'reference_date']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'skill_level' as breakdown,
        level_group as breakdown_value,
        null as numerator,
        null as denominator,
        round(median_cny_month, 4) as value,
        n_persons,
        null as n_employers,
        true as is_supplied
    from medians
    where level_group in ('5', '4', '3', '2', '1', 'T', 'S', 'none')
)

{{ base_cells('M14-4') }}
