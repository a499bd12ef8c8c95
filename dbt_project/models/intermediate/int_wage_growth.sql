with

wages as (
    select * from {{ ref('fct_wage') }}
),

holders as (
    select * from {{ ref('int_holder_level') }}
),

slices as (
    {{ slices_of_readers() }}
),

years as (
    select distinct
        period_start,
        period_end
    from slices
),

-- the months of a person are sets of bits that areas can unite, one of the year and one of the year before
county_wages as (
    select
        years.period_start,
        years.period_end,
        wages.person_id,
        wages.work_area_code,
        sum(wages.wage_cny_month) filter (where wages.wage_month >= years.period_start) as wage_sum_cny,
        bit_or(1 << (extract(month from wages.wage_month)::integer - 1))
        filter (where wages.wage_month >= years.period_start) as month_bits,
        sum(wages.wage_cny_month) filter (where wages.wage_month < years.period_start) as wage_sum_before_cny,
        bit_or(1 << (extract(month from wages.wage_month)::integer - 1))
        filter (where wages.wage_month < years.period_start) as month_bits_before
    from wages
    inner join years
        on
            wages.wage_month >= (years.period_start - interval '1 year')::date
            and wages.wage_month <= years.period_end
    where
        {{ is_contribution_wage('wages') }}
    group by years.period_start, years.period_end, wages.person_id, wages.work_area_code
),

-- skilled is who holds a certificate as the later year begins, in both years
with_certificates as (
    select
        county_wages.period_end,
        county_wages.person_id,
        county_wages.work_area_code,
        county_wages.wage_sum_cny,
        county_wages.month_bits,
        county_wages.wage_sum_before_cny,
        county_wages.month_bits_before,
        holders.person_id is not null as is_certified,
        count(*) over (partition by county_wages.period_end, county_wages.person_id) = 1 as is_in_one_county
    from county_wages
    left join holders
        on
            county_wages.period_start = holders.reference_date
            and county_wages.person_id = holders.person_id
)

select * from with_certificates
