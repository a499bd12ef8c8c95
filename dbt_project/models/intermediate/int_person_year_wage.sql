with

wages as (
    select * from {{ ref('fct_wage') }}
),

slices as (
    {{ slices_of_readers() }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

-- growth needs the year before as well
years as (
    select distinct year_end.day as year_end
    from slices
    inner join dim_period
        on
            slices.period_type = dim_period.period_type
            and slices.period_end = dim_period.period_end
    cross join lateral (
        values
        (dim_period.period_end),
        (dim_period.prior_year_end)
    ) as year_end (day)
),

-- months are a set of bits, so that an area can unite those of its counties
county_wages as (
    select
        years.year_end,
        wages.person_id,
        wages.work_area_code,
        sum(wages.wage_cny_month) as wage_sum_cny,
        bit_or(1 << (extract(month from wages.wage_month)::integer - 1)) as month_bits,
        count(*) as n_records,
        count(*) filter (where wages.base_limit = '2') as n_floored_records
    from wages
    inner join years
        on
            wages.wage_month > years.year_end - interval '1 year'
            and wages.wage_month <= years.year_end
    where
        {{ is_contribution_wage('wages') }}
    group by years.year_end, wages.person_id, wages.work_area_code
),

counted as (
    select
        *,
        count(*) over (partition by year_end, person_id) = 1 as is_in_one_county
    from county_wages
)

select * from counted
