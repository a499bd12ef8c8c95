{{ indicator_config('M01-1') }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

slices as (
    {{ affected_slices('M01-1') }}
),

cohort as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        exits.is_employed_in_month_6,
        -- until one month of the outcome lies within the horizon there is nothing to say
        slices.period_start + interval '6 months' <= slices.horizon_date as has_outcome
    from exits
    inner join slices
        on
            exits.residence_county_code = slices.area_code
            and exits.period_start = slices.period_start
    where
        exits.exit_kind = 'any'
        and not exits.was_employed_at_entry
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        case when has_outcome then count(*) filter (where is_employed_in_month_6) end::numeric as numerator,
        count(*)::numeric as denominator,
        null::numeric as value,
        count(*) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from cohort
    group by area_code, period_type, period_start, has_outcome
)

select
    'M01-1' as indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    value,
    n_persons,
    n_employers,
    is_supplied
from cells
