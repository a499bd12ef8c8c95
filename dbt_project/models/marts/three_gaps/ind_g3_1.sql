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

uncertified as (
    select *
    from medians
    where level_group = 'none'
),

sides as (
    select
        medians.area_code,
        medians.period_type,
        medians.period_end,
        medians.level_group as skill_level,
        medians.median_cny_month as level_median_cny_month,
        uncertified.median_cny_month as uncertified_median_cny_month,
        least(medians.n_persons, coalesce(uncertified.n_persons, 0)) as n_persons
    from medians
    left join uncertified
        on
            medians.area_code = uncertified.area_code
            and medians.period_type = uncertified.period_type
            and medians.period_end = uncertified.period_end
    where medians.level_group in ('5', '4', '3', '2', '1', 'T', 'S')
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'skill_level' as breakdown,
        skill_level as breakdown_value,
        round(level_median_cny_month, 2) as numerator,
        round(uncertified_median_cny_month, 2) as denominator,
        round(level_median_cny_month / nullif(uncertified_median_cny_month, 0), 4) as value,
        n_persons
    from sides
)

{{ base_cells(['numerator', 'denominator', 'value', 'n_persons']) }}
