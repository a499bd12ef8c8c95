{{ indicator_config('M21-1') }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices('M21-1') }}
),

counts as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        sum(workforce.n_certified) as n_certified,
        sum(workforce.n_employed) as n_employed
    from workforce
    inner join slices
        on
            workforce.area_code = slices.area_code
            and workforce.period_end = slices.period_end
    group by slices.area_code, slices.period_type, slices.period_start
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
        round(100 * n_certified / n_employed, 4) as value,
        n_employed::bigint as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from counts
)

select
    'M21-1' as indicator_code,
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
