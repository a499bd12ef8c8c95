with

months as (
    select series.day::date as first_day
    from generate_series('2013-01-01'::date, '2030-12-01'::date, interval '1 month') as series (day)
),

periods as (
    select
        'month' as period_type,
        first_day as period_start,
        (first_day + interval '1 month' - interval '1 day')::date as period_end,
        to_char(first_day, 'YYYY-MM') as period_label
    from months

    union all

    select
        'quarter' as period_type,
        first_day as period_start,
        (first_day + interval '3 months' - interval '1 day')::date as period_end,
        to_char(first_day, 'YYYY"Q"Q') as period_label
    from months
    where extract(month from first_day) in (1, 4, 7, 10)

    union all

    select
        'year' as period_type,
        first_day as period_start,
        (first_day + interval '1 year' - interval '1 day')::date as period_end,
        to_char(first_day, 'YYYY') as period_label
    from months
    where extract(month from first_day) = 1
)

select
    period_type,
    period_start,
    period_end,
    period_label,
    (period_start - interval '1 year')::date as prior_year_start
from periods
