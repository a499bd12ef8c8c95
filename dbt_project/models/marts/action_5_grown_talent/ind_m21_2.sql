{{ indicator_config('M21-2') }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices('M21-2') }}
),

counts as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        sum(workforce.n_high_skilled) as n_high_skilled,
        sum(workforce.n_certified) as n_certified
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
        n_high_skilled as numerator,
        n_certified as denominator,
        round(100 * n_high_skilled / nullif(n_certified, 0), 4) as value,
        n_certified::bigint as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from counts
)

select
    'M21-2' as indicator_code,
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
