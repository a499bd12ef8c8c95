{{ indicator_config() }}

with

-- the medians of M14-4, so that both say the same
level_medians as (
    select
        area_code,
        period_type,
        period_end,
        breakdown_value as skill_level,
        value as median_cny_month,
        n_persons
    from {{ ref('ind_m14_4') }}
    where breakdown = 'skill_level'
),

slices as (
    {{ affected_slices() }}
),

medians as (
    {{ in_slices('level_medians', match=['period_type', 'period_end']) }}
),

uncertified as (
    select *
    from medians
    where skill_level = 'none'
),

sides as (
    select
        medians.area_code,
        medians.period_type,
        medians.period_end,
        medians.skill_level,
        medians.median_cny_month as level_median_cny_month,
        uncertified.median_cny_month as uncertified_median_cny_month,
        least(medians.n_persons, coalesce(uncertified.n_persons, 0)) as n_persons
    from medians
    left join uncertified
        on
            medians.area_code = uncertified.area_code
            and medians.period_type = uncertified.period_type
            and medians.period_end = uncertified.period_end
    -- holders of special ability only are neither of a level nor without a certificate
    where medians.skill_level not in ('none', 'special_only')
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
