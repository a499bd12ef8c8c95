{{ indicator_config() }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

slices as (
    {{ affected_slices() }}
),

cohort as (
    {{ in_slices('exits', area='residence_area_code', match=['period_type', 'period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where is_employed_in_month_6) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from cohort
    where
        exit_kind = 'any'
        and not was_employed_at_entry
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
