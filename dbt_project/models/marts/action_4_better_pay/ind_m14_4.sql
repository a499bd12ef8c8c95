{{ indicator_config('M14-4') }}

with

area_medians as (
    select * from {{ ref('int_area_wage_median') }}
),

slices as (
    {{ affected_slices('M14-4') }}
),

medians as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        area_medians.level_group,
        area_medians.median_cny_month,
        area_medians.n_persons
    from area_medians
    inner join slices
        on
            area_medians.area_code = slices.area_code
            and area_medians.period_type = slices.period_type
            and area_medians.period_start = slices.period_start
    where area_medians.level_group in ('5', '4', '3', '2', '1', 'T', 'S', 'none')
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'skill_level' as breakdown,
        level_group as breakdown_value,
        null::numeric as numerator,
        null::numeric as denominator,
        round(median_cny_month, 4) as value,
        n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from medians
)

select
    'M14-4' as indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    value,
    n_persons,
    n_employers,
    is_supplied
from cells
