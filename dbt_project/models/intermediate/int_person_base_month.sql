{{ config(pre_hook=hash_joins()) }}

with

wages as (
    select * from {{ ref('fct_wage') }}
),

certificates as (
    select * from {{ ref('int_issued_certificate') }}
),

slices as (
    {{ slices_of_readers() }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

period_month as (
    select * from {{ ref('period_month') }}
),

-- while the window is open nothing of it can be known, and nobody is looked up
base_months as (
    select distinct
        slices.period_end,
        period_month.month_start as base_month
    from slices
    inner join covered_periods
        on
            slices.indicator_code = covered_periods.indicator_code
            and slices.period_type = covered_periods.period_type
            and slices.period_end = covered_periods.period_end
    inner join period_month
        on
            slices.period_type = period_month.period_type
            and slices.period_end = period_month.period_end
    where not covered_periods.is_window_open
),

-- the certificate that a person got first, of whatever type
first_certificates as (
    select distinct on (person_id)
        person_id,
        flow_date as first_issued_on,
        level_code
    from certificates
    where flow = 'issued'
    order by person_id asc, flow_date asc, certificate_number collate "C" asc
),

-- with several contributions in a month county and industry are those of the largest
base_wages as (
    select
        base_months.period_end,
        base_months.base_month,
        wages.person_id,
        sum(wages.wage_cny_month) as base_cny,
        (array_agg(
            wages.work_area_code
            order by wages.wage_cny_month desc, wages.work_area_code asc, wages.industry_code asc
        ))[1] as work_area_code,
        (array_agg(
            wages.industry_code
            order by wages.wage_cny_month desc, wages.work_area_code asc, wages.industry_code asc
        ))[1] as industry_code,
        max(wages.sex) as sex,
        max(wages.birth_year) as birth_year
    from wages
    inner join base_months
        on wages.wage_month = base_months.base_month
    where
        {{ is_contribution_wage('wages') }}
    group by base_months.period_end, base_months.base_month, wages.person_id
),

-- who got the first certificate in that month, and who has none two years later
chosen as (
    select
        base_wages.period_end,
        base_wages.base_month,
        base_wages.person_id,
        base_wages.base_cny,
        base_wages.work_area_code,
        base_wages.industry_code,
        base_wages.sex,
        {{ age_band('base_wages.birth_year', 'base_wages.base_month') }} as age_band,
        case
            when first_certificates.first_issued_on < base_wages.base_month + interval '1 month'
                then first_certificates.level_code
        end as gained_level
    from base_wages
    left join first_certificates
        on base_wages.person_id = first_certificates.person_id
    where
        first_certificates.person_id is null
        or first_certificates.first_issued_on >= base_wages.base_month + interval '25 months'
        or (
            first_certificates.level_code is not null
            and first_certificates.first_issued_on >= base_wages.base_month
            and first_certificates.first_issued_on < base_wages.base_month + interval '1 month'
        )
),

followed as (
    select
        chosen.period_end,
        chosen.base_month,
        chosen.person_id,
        chosen.base_cny,
        chosen.work_area_code,
        chosen.industry_code,
        chosen.sex,
        chosen.age_band,
        chosen.gained_level,
        sum(wages.wage_cny_month) filter (
            where wages.wage_month = chosen.base_month + interval '12 months'
        ) as after_12_cny,
        sum(wages.wage_cny_month) filter (
            where wages.wage_month = chosen.base_month + interval '24 months'
        ) as after_24_cny
    from chosen
    inner join wages
        on
            chosen.person_id = wages.person_id
            and wages.wage_month in (
                (chosen.base_month + interval '12 months')::date,
                (chosen.base_month + interval '24 months')::date
            )
    where
        {{ is_contribution_wage('wages') }}
    group by
        chosen.period_end,
        chosen.base_month,
        chosen.person_id,
        chosen.base_cny,
        chosen.work_area_code,
        chosen.industry_code,
        chosen.sex,
        chosen.age_band,
        chosen.gained_level
)

select * from followed
