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

period_month as (
    select * from {{ ref('period_month') }}
),

periods as (
    select distinct
        period_type,
        period_start,
        period_end
    from slices
),

-- a month has its place in the period, so that the months of a person are a set of bits that areas can unite
period_months as (
    select
        periods.period_type,
        periods.period_start,
        periods.period_end,
        period_month.month_start as wage_month,
        1 << (extract(month from period_month.month_start)::integer - 1) as month_bit
    from periods
    inner join period_month
        on
            periods.period_type = period_month.period_type
            and periods.period_end = period_month.period_end
),

county_wages as (
    select
        period_months.period_type,
        period_months.period_start,
        period_months.period_end,
        wages.person_id,
        wages.work_area_code,
        sum(wages.wage_cny_month) as wage_sum_cny,
        bit_or(period_months.month_bit) as month_bits,
        -- the latest month before the letter, so that the greatest is the industry of the latest month
        max(period_months.month_bit * 128 + ascii(wages.industry_code)) as month_and_industry,
        -- the same of what limits the base: of several in that month floored goes before capped, capped before neither
        max(period_months.month_bit * 4 + wages.base_limit::integer) as month_and_limit,
        max(wages.birth_year) as birth_year,
        max(wages.sex) as sex
    from wages
    inner join period_months
        on wages.wage_month = period_months.wage_month
    where
        {{ is_contribution_wage('wages') }}
    group by
        period_months.period_type,
        period_months.period_start,
        period_months.period_end,
        wages.person_id,
        wages.work_area_code
),

levelled as (
    select
        county_wages.period_type,
        county_wages.period_start,
        county_wages.period_end,
        county_wages.person_id,
        county_wages.work_area_code,
        county_wages.wage_sum_cny,
        county_wages.month_bits,
        county_wages.month_and_industry,
        county_wages.month_and_limit,
        coalesce(county_wages.sex, 'unstated') as sex,
        {{ age_band('county_wages.birth_year', 'county_wages.period_start') }} as age_band,
        holders.level_rank,
        coalesce(holders.skill_level, 'none') as skill_level,
        count(*) over (
            partition by
                county_wages.period_type,
                county_wages.period_start,
                county_wages.period_end,
                county_wages.person_id
        ) = 1 as is_in_one_county
    from county_wages
    left join holders
        on
            county_wages.period_start = holders.reference_date
            and county_wages.person_id = holders.person_id
)

select * from levelled
