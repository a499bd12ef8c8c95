{{ indicator_config() }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices() }}
),

counts as (
    {{ in_slices('workforce', match=['period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        n_high_skilled as numerator,
        n_levelled as denominator,
        n_levelled as n_persons
    from counts
    where breakdown in ('total', 'sex')
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
