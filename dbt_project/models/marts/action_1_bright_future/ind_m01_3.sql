{{ indicator_config('M01-3') }}

with

completed as (
    select * from {{ ref('int_completed_training') }}
),

slices as (
    {{ affected_slices('M01-3') }}
),

placed as (
    select
        completed.person_id,
        completed.priority_groups,
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

-- the groups overlap: a person of two groups counts in each
broken_down as (
    select
        placed.*,
        'total' as breakdown,
        'total' as breakdown_value
    from placed
    union all
    select
        placed.*,
        'priority_group' as breakdown,
        priority_group.code as breakdown_value
    from placed
    inner join (values ('01'), ('02'), ('03'), ('04'), ('05')) as priority_group (code)
        on priority_group.code = any(string_to_array(placed.priority_groups, ','))
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count(*)::numeric as numerator,
        null::numeric as denominator,
        null::numeric as value,
        count(distinct person_id) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from broken_down
    group by area_code, period_type, period_start, breakdown, breakdown_value
)

select
    'M01-3' as indicator_code,
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
