{{ indicator_config() }}

with

completers as (
    select * from {{ ref('int_hrss_subsidised_completer') }}
),

slices as (
    {{ affected_slices() }}
),

graduates_without_work as (
    select *
    from completers
    where
        not was_registered_at_start
        and graduate_status = '03'
),

-- by the day of completion: a year is the sum of its quarters
cohort as (
    {{ in_slices('graduates_without_work', area='residence_area_code', day='completion_date') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where is_registered_in_month_6) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from cohort
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
