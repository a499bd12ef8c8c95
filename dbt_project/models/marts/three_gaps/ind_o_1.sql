{{ indicator_config() }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

slices as (
    {{ affected_slices() }}
),

-- by the day of exit: a year is the sum of its quarters
cohort as (
    {{ in_slices('exits', area='residence_area_code', day='exit_on') }}
),

broken_down as (
    {{ employment_after_exit('cohort', quarter=2) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_employed) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
