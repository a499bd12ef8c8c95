{{ indicator_config('M21-2') }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices('M21-2') }}
),

counts as (
    {{ in_slices('workforce', match=['period_end', 'reference_date']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        n_high_skilled as numerator,
        n_certified as denominator,
        null as value,
        n_certified as n_persons,
        null as n_employers,
        true as is_supplied
    from counts
)

{{ base_cells('M21-2') }}
