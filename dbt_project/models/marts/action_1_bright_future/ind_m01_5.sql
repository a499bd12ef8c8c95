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

broken_down as (
    {{ total_and_by('placed', 'focus_sector') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where priority_groups is not null) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where priority_groups is not null) as n_numerator_persons,
        count(distinct person_id) filter (where priority_groups is null) as n_complement_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
