{{ config(materialized='view') }}

with

workshops as (
    select * from {{ ref('fct_beautiful_workshop') }}
),

-- numbers are cumulative: those at the end of December are the year's
ended as (
    select
        *,
        (period_start + interval '1 year' - interval '1 day')::date as year_end,
        to_char(period_end, 'MM-DD') = '12-31' as is_of_the_year
    from workshops
),

-- whoever reported for a part of the year must have reported for all of it
years as (
    select
        year_end,
        count(distinct organised_by) = count(*) filter (where is_of_the_year) as is_whole,
        sum(trained_women) filter (where is_of_the_year) as trained_women,
        sum(reporting_women) filter (where is_of_the_year) as reporting_women,
        sum(monthly_gain_sum_cny) filter (where is_of_the_year) as monthly_gain_sum_cny
    from ended
    group by year_end
)

select
    year_end as period_end,
    trained_women,
    reporting_women,
    monthly_gain_sum_cny
from years
where is_whole
