{{ indicator_config() }}

with

completed as (
    select * from {{ ref('int_completed_training') }}
),

slices as (
    {{ affected_slices() }}
),

placed as (
    {{ in_slices('completed', area='residence_area_code', day='completion_date') }}
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
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
