with

seed_target as (
    select * from {{ ref('seed_target') }}
),

feed_coverage as (
    select * from {{ ref('feed_coverage') }}
),

known_days as (
    select target_date as day
    from seed_target
    union all
    select covered_to as day
    from feed_coverage
),

-- three years beyond all that is aimed at or covered: the longest window ends two years and two months after its period
horizon as (
    select (date_trunc('year', max(day)::timestamp) + interval '3 years 11 months')::date as last_month
    from known_days
),

months as (
    select
        series.day::date as first_day,
        (series.day + interval '1 month' - interval '1 day')::date as last_day,
        extract(month from series.day)::integer as month_number
    from horizon
    cross join generate_series('2013-01-01'::date, horizon.last_month, interval '1 month') as series (day)
),

whole_months as (
    select
        'month' as period_type,
        first_day as period_start,
        last_day as period_end,
        to_char(first_day, 'YYYY-MM') as period_label
    from months
),

quarters as (
    select
        'quarter' as period_type,
        first_day as period_start,
        (first_day + interval '3 months' - interval '1 day')::date as period_end,
        to_char(first_day, 'YYYY"Q"Q') as period_label
    from months
    where month_number in (1, 4, 7, 10)
),

-- as people here speak of a year that runs; its twelfth month makes it a year
years_to_date as (
    select
        'ytd' as period_type,
        date_trunc('year', first_day::timestamp)::date as period_start,
        last_day as period_end,
        to_char(first_day, 'YYYY"年"') || case month_number
            when 1 then '1月'
            when 3 then '一季度'
            when 6 then '上半年'
            when 9 then '前三季度'
            else '1—' || month_number || '月'
        end as period_label
    from months
    where month_number < 12
),

years as (
    select
        'year' as period_type,
        first_day as period_start,
        (first_day + interval '1 year' - interval '1 day')::date as period_end,
        to_char(first_day, 'YYYY') as period_label
    from months
    where month_number = 1
),

-- what is published of a month's last day stands as that day's, and of the last of December as the year's
days as (
    select
        'day' as period_type,
        last_day as period_start,
        last_day as period_end,
        to_char(last_day, '"截至"YYYY"年"FMMM"月底"') as period_label
    from months
    where month_number < 12
),

periods as (
    select * from whole_months
    union all
    select * from quarters
    union all
    select * from years_to_date
    union all
    select * from years
    union all
    select * from days
)

select
    period_type,
    period_start,
    period_end,
    period_label,
    (period_end + 1 - interval '1 year')::date - 1 as prior_year_end
from periods
