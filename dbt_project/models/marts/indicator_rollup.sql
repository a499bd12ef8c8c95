with

counties as (
    select base.*
    from {{ ref('indicator_base') }} as base
    inner join {{ ref('seed_indicator') }} as indicator
        on base.indicator_code = indicator.indicator_code
    where indicator.method in ('count', 'sum', 'ratio_of_sums')
),

-- membership is that at the end of the period
rolled_up as (
    select
        counties.indicator_code,
        member.area_code,
        counties.period_type,
        counties.period_start,
        counties.breakdown,
        counties.breakdown_value,
        sum(counties.numerator) as numerator,
        sum(counties.denominator) as denominator,
        sum(counties.n_persons)::bigint as n_persons,
        sum(counties.n_employers)::bigint as n_employers,
        bool_and(counties.is_supplied) as is_supplied
    from counties
    inner join {{ ref('dim_period') }} as period
        on
            counties.period_type = period.period_type
            and counties.period_start = period.period_start
    inner join {{ ref('area_member') }} as member
        on
            counties.area_code = member.county_code
            and period.period_end >= member.valid_from
            and period.period_end < member.valid_to
    where member.area_level != 'county'
    group by
        counties.indicator_code,
        member.area_code,
        counties.period_type,
        counties.period_start,
        counties.breakdown,
        counties.breakdown_value
)

select
    indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    null::numeric as value,
    n_persons,
    n_employers,
    is_supplied
from rolled_up
