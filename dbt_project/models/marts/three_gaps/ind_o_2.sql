{{ indicator_config('O-2') }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

slices as (
    {{ affected_slices('O-2') }}
),

cohort as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        exits.was_employed_at_entry,
        exits.is_employed_in_quarter_4,
        -- until one month of the outcome lies within the horizon there is nothing to say
        slices.period_start + interval '12 months' <= slices.horizon_date as has_outcome
    from exits
    inner join slices
        on
            exits.residence_county_code = slices.area_code
            and exits.period_start = slices.period_start
    where exits.exit_kind = 'any'
),

broken_down as (
    select
        cohort.*,
        'total' as breakdown,
        'total' as breakdown_value
    from cohort
    union all
    select
        cohort.*,
        'employed_at_entry' as breakdown,
        case when cohort.was_employed_at_entry then 'yes' else 'no' end as breakdown_value
    from cohort
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        case when has_outcome then count(*) filter (where is_employed_in_quarter_4) end::numeric as numerator,
        count(*)::numeric as denominator,
        null::numeric as value,
        count(*) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from broken_down
    group by area_code, period_type, period_start, breakdown, breakdown_value, has_outcome
)

select
    'O-2' as indicator_code,
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
