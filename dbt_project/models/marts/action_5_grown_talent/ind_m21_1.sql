{{ indicator_config('M21-1') }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices('M21-1') }}
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
        n_certified as numerator,
        n_employed as denominator,
        null as value,
        n_employed as n_persons,
        null as n_employers,
        true as is_supplied
    from counts
)

{{ base_cells('M21-1') }}
