{{ indicator_config('M01-1') }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

slices as (
    {{ affected_slices('M01-1') }}
),

cohort as (
    {{ in_slices('exits', area='residence_county_code', match=['period_type', 'period_start']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where is_employed_in_month_6) as numerator,
        count(*) as denominator,
        null as value,
        count(*) as n_persons,
        null as n_employers,
        true as is_supplied
    from cohort
    where
        exit_kind = 'any'
        and not was_employed_at_entry
    group by area_code, period_type, period_start
)

{{ base_cells('M01-1') }}
