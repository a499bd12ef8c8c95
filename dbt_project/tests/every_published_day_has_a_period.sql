-- A figure of another day than the last of a month would be served nowhere; what is older than all periods is left out.
with

published as (
    select distinct as_of
    from {{ ref('int_published_figure') }}
    where is_day_printed
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

first_period as (
    select min(period_start) as first_day
    from dim_period
)

select published.as_of
from published
cross join first_period
left join dim_period
    on
        published.as_of = dim_period.period_end
        and dim_period.period_type in ('day', 'year')
where
    dim_period.period_end is null
    and published.as_of >= first_period.first_day
