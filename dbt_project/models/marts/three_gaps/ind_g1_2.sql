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
        n_urban_certified as numerator,
        n_urban as denominator,
        n_rural_certified as comparison_numerator,
        n_rural as comparison_denominator,
        least(n_urban, n_rural) as n_persons
    from counts
    where
        n_urban > 0
        or n_rural > 0
)

{{ base_cells(['numerator', 'denominator', 'comparison_numerator', 'comparison_denominator', 'n_persons']) }}
