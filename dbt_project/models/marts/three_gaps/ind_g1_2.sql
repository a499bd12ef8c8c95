{{ indicator_config('G1-2') }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices('G1-2') }}
),

counts as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        sum(workforce.n_employed) filter (where workforce.residence_kind = '1') as n_urban,
        sum(workforce.n_certified) filter (where workforce.residence_kind = '1') as n_urban_certified,
        sum(workforce.n_employed) filter (where workforce.residence_kind = '2') as n_rural,
        sum(workforce.n_certified) filter (where workforce.residence_kind = '2') as n_rural_certified
    from workforce
    inner join slices
        on
            workforce.area_code = slices.area_code
            and workforce.period_end = slices.period_end
    where workforce.residence_kind in ('1', '2')
    group by slices.area_code, slices.period_type, slices.period_start
),

shares as (
    select
        area_code,
        period_type,
        period_start,
        n_urban_certified / n_urban as urban_share,
        n_rural_certified / n_rural as rural_share,
        -- one division: a ratio of rounded shares would miss ties
        n_urban_certified * n_rural / nullif(n_urban * n_rural_certified, 0) as share_ratio,
        least(coalesce(n_urban, 0), coalesce(n_rural, 0))::bigint as n_persons
    from counts
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
        null::bigint as n_employers,
        true as is_supplied
    from shares
)

select
    'G1-2' as indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    value,
    n_persons,
    n_employers,
    is_supplied
from cells
