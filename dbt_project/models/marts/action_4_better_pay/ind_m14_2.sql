{{ indicator_config('M14-2') }}

with

area_medians as (
    select * from {{ ref('int_area_wage_median') }}
),

slices as (
    {{ affected_slices('M14-2') }}
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
    where area_medians.level_group in ('high', 'basic')
),

sides as (
    select
        area_code,
        period_type,
        period_start,
        max(median_cny_month) filter (where level_group = 'high') as high_median_cny_month,
        max(median_cny_month) filter (where level_group = 'basic') as basic_median_cny_month,
        coalesce(max(n_persons) filter (where level_group = 'high'), 0) as n_high,
        coalesce(max(n_persons) filter (where level_group = 'basic'), 0) as n_basic
    from medians
    group by area_code, period_type, period_start
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        round(high_median_cny_month, 2) as numerator,
        round(basic_median_cny_month, 2) as denominator,
        round(high_median_cny_month / nullif(basic_median_cny_month, 0), 4) as value,
        least(n_high, n_basic) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from sides
)

select
    'M14-2' as indicator_code,
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
