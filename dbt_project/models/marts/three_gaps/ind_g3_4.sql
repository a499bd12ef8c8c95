{#- Whom a person is compared with had a base at most this share higher or lower. -#}
{%- set caliper = 0.05 -%}
{{ indicator_config() }}

with

persons as (
    select *
    from {{ ref('int_person_base_month') }}
    where
        base_cny > 0
        and sex is not null
        and age_band != 'unstated'
),

members as (
    {{ slice_members() }}
),

followed as (
    select
        persons.*,
        later.horizon,
        100 * (later.wage_cny / persons.base_cny - 1) as growth_pct
    from persons
    cross join lateral (
        values
        ('12', persons.after_12_cny),
        ('24', persons.after_24_cny)
    ) as later (horizon, wage_cny)
),

growth as (
    select *
    from followed
    where growth_pct is not null
),

-- everybody alike within the caliper, with replacement: one person may be compared with several
matched as (
    select
        certified.period_end,
        certified.work_area_code,
        certified.gained_level,
        certified.horizon,
        certified.growth_pct,
        avg(comparable.growth_pct) as comparison_growth_pct
    from growth as certified
    inner join growth as comparable
        on
            certified.base_month = comparable.base_month
            and certified.horizon = comparable.horizon
            and certified.work_area_code = comparable.work_area_code
            and certified.industry_code = comparable.industry_code
            and certified.sex = comparable.sex
            and certified.age_band = comparable.age_band
            and abs(comparable.base_cny - certified.base_cny) <= certified.base_cny * {{ caliper }}
            and comparable.gained_level is null
    where certified.gained_level is not null
    group by
        certified.period_end,
        certified.base_month,
        certified.person_id,
        certified.work_area_code,
        certified.gained_level,
        certified.horizon,
        certified.growth_pct
),

placed as (
    {{ in_members('matched', 'work_area_code', match=['period_end']) }}
),

parts as (
    select
        placed.area_code,
        placed.period_type,
        placed.period_end,
        part.breakdown,
        part.breakdown_value,
        placed.growth_pct,
        placed.comparison_growth_pct,
        placed.horizon = part.horizon as is_of_horizon
    from placed
    cross join lateral (
        values
        ('total', 'total', '24'),
        ('horizon', placed.horizon, placed.horizon),
        ('skill_level', placed.gained_level, '24')
    ) as part (breakdown, breakdown_value, horizon)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        round(avg(growth_pct), 4) as numerator,
        round(avg(comparison_growth_pct), 4) as denominator,
        count(*) as n_persons
    from parts
    where is_of_horizon
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
