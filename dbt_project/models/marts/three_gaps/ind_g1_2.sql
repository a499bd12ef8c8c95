{{ indicator_config('G1-2') }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices('G1-2') }}
),

counts as (
    {{ in_slices('workforce', match=['period_end', 'reference_date']) }}
),

shares as (
    select
        area_code,
        period_type,
        period_start,
        n_urban_certified / nullif(n_urban, 0)::numeric as urban_share,
        n_rural_certified / nullif(n_rural, 0)::numeric as rural_share,
        -- one division: a ratio of rounded shares would miss ties
        n_urban_certified * n_rural / nullif(n_urban * n_rural_certified, 0)::numeric as share_ratio,
        least(n_urban, n_rural) as n_persons
    from counts
    where
        n_urban > 0
        or n_rural > 0
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        urban_share as numerator,
        rural_share as denominator,
        round(share_ratio, 4) as value,
        n_persons,
        null as n_employers,
        true as is_supplied
    from shares
)

{{ base_cells('G1-2') }}
