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
        'total' as breakdown,
        'total' as breakdown_value,
        n_certified as numerator,
        n_employed as denominator,
        n_employed as n_persons
    from counts
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
