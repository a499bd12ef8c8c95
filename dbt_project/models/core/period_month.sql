{{ config(indexes=[{'columns': ['month_start']}]) }}

with

dim_period as (
    select * from {{ ref('dim_period') }}
),

months as (
    select
        period_type,
        period_end,
        month.first_day::date as month_start
    from dim_period
    cross join generate_series(period_start::timestamp, period_end::timestamp, interval '1 month') as month (first_day)
    where period_type != 'day'
)

select
    period_type,
    period_end,
    month_start
from months
