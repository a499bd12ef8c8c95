{{ indicator_config() }}

with

exits as (
    select *
    from {{ ref('int_exit') }}
    where has_wage_record_in_quarter_2
),

slices as (
    {{ affected_slices() }}
),

-- by the day of exit: a year is the sum of its quarters
cohort as (
    {{ in_slices('exits', area='residence_area_code', day='exit_on') }}
),

broken_down as (
    {{ total_and_parts('cohort', ['at_entry', 'completion']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where has_same_employer_in_quarter_4) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
