{#- Whom a person is compared with had a base at most this share higher or lower. -#}
{%- set caliper = 0.05 -%}

with

persons as (
    select *
    from {{ ref('int_person_base_month') }}
    where base_cny > 0
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

-- everybody alike within the caliper, with replacement: one person may be compared with several; of whom sex or age is
-- not known nobody can say who is alike
matched as (
    select
        certified.period_end,
        certified.work_area_code,
        certified.gained_level,
        certified.horizon,
        certified.base_cny,
        certified.growth_pct,
        avg(comparable.base_cny) as comparison_base_cny,
        avg(comparable.growth_pct) as comparison_growth_pct
    from growth as certified
    left join growth as comparable
        on
            certified.base_month = comparable.base_month
            and certified.horizon = comparable.horizon
            and certified.work_area_code = comparable.work_area_code
            and certified.industry_code = comparable.industry_code
            and certified.sex = comparable.sex
            and certified.age_band = comparable.age_band
            and comparable.age_band != 'unstated'
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
        certified.base_cny,
        certified.growth_pct
),

-- a first certificate is of one county, so that areas are sums of their counties
summed as (
    select
        period_end,
        work_area_code,
        gained_level,
        horizon,
        count(*) as n_certified,
        count(comparison_growth_pct) as n_matched,
        sum(base_cny) filter (where comparison_growth_pct is not null) as base_sum_cny,
        sum(comparison_base_cny) as comparison_base_sum_cny,
        sum(growth_pct) filter (where comparison_growth_pct is not null) as growth_sum_pct,
        sum(comparison_growth_pct) as comparison_growth_sum_pct
    from matched
    group by period_end, work_area_code, gained_level, horizon
)

select * from summed
