{{ indicator_config() }}

with

projects as (
    select * from {{ ref('fct_technician_project') }}
),

slices as (
    {{ affected_slices() }}
),

broken_down as (
    {{ project_states('projects', kind='02') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
