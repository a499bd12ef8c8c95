{{ indicator_config('M01-5') }}

with

completed as (
    select * from {{ ref('int_completed_training') }}
),

slices as (
    {{ affected_slices('M01-5') }}
),

placed as (
    select
        completed.person_id,
        completed.priority_groups is not null as is_priority,
        completed.focus_sector,
        slices.area_code,
        slices.period_type,
        slices.period_start
    from completed
    inner join slices
        on
            completed.residence_county_code = slices.area_code
            and completed.period_type = slices.period_type
            and completed.period_start = slices.period_start
),

broken_down as (
    select
        placed.*,
        'total' as breakdown,
        'total' as breakdown_value
    from placed
    union all
    select
        placed.*,
        'focus_sector' as breakdown,
        placed.focus_sector as breakdown_value
    from placed
    where placed.focus_sector is not null
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count(*) filter (where is_priority)::numeric as numerator,
        count(*)::numeric as denominator,
        null::numeric as value,
        count(distinct person_id) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from broken_down
    group by area_code, period_type, period_start, breakdown, breakdown_value
)

select
    'M01-5' as indicator_code,
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
