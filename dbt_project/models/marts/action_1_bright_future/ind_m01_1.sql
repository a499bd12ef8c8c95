{{ indicator_config() }}

with

completers as (
    select * from {{ ref('int_hrss_subsidised_completer') }}
),

slices as (
    {{ affected_slices() }}
),

without_work as (
    select *
    from completers
    where not was_registered_at_start
),

-- by the day of completion: a year is the sum of its quarters
cohort as (
    {{ in_slices('without_work', area='residence_area_code', day='completion_date') }}
),

parts as (
    {{ total_and_parts('cohort', ['sex', 'age_band', 'urban_rural']) }}
),

groups as (
    {{ overlapping_parts('cohort', "coalesce(cohort.priority_groups, 'none')", 'priority_group') }}
),

broken_down as (
    select * from parts
    union all
    select * from groups
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_registered_in_month_6) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
