{{ indicator_config('G3-1') }}

with

area_medians as (
    select * from {{ ref('int_area_wage_median') }}
),

slices as (
    {{ affected_slices('G3-1') }}
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

uncertified as (
    select *
    from medians
    where level_group = 'none'
),

sides as (
    select
        medians.area_code,
        medians.period_type,
        medians.period_start,
        medians.level_group as skill_level,
        medians.median_cny_month as level_median_cny_month,
        uncertified.median_cny_month as uncertified_median_cny_month,
        least(medians.n_persons, coalesce(uncertified.n_persons, 0)) as n_persons
    from medians
    left join uncertified
        on
            medians.area_code = uncertified.area_code
            and medians.period_type = uncertified.period_type
            and medians.period_start = uncertified.period_start
    where medians.level_group != 'none'
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'skill_level' as breakdown,
        skill_level as breakdown_value,
        round(level_median_cny_month, 2) as numerator,
        round(uncertified_median_cny_month, 2) as denominator,
        round(level_median_cny_month / nullif(uncertified_median_cny_month, 0), 4) as value,
        n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from sides
)

select
    'G3-1' as indicator_code,
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
