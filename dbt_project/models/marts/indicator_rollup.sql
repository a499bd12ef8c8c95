with

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

seed_method as (
    select * from {{ ref('seed_method') }}
),

indicator_base as (
    select * from {{ ref('indicator_base') }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

counties as (
    select
        indicator_base.*,
        seed_method.sums_what_is_reported
    from indicator_base
    inner join seed_indicator
        on indicator_base.indicator_code = seed_indicator.indicator_code
    inner join seed_method
        on seed_indicator.method = seed_method.method
    where seed_method.is_additive
),

-- membership is that at the end of the period
rolled_up as (
    select
        counties.indicator_code,
        area_member.area_code,
        counties.period_type,
        counties.period_end,
        counties.breakdown,
        counties.breakdown_value,
        sum(counties.numerator) as numerator,
        sum(counties.denominator) as denominator,
        sum(counties.n_persons)::bigint as n_persons,
        sum(counties.n_numerator_persons)::bigint as n_numerator_persons,
        sum(counties.n_complement_persons)::bigint as n_complement_persons,
        -- an employer may stand in several counties: there are at least as many as in the county that has most,
        max(counties.n_employers)::bigint as n_employers,
        -- and the largest has at most what the largest of all counties have together, where all of these are known
        case
            when
                count(counties.largest_employer_share) > 0
                and bool_and(
                    counties.largest_employer_share is not null
                    or (coalesce(counties.numerator, 0) = 0 and coalesce(counties.denominator, 0) = 0)
                )
                then least(
                    1,
                    greatest(
                        0,
                        sum(counties.largest_employer_share * abs(counties.numerator))
                        / nullif(abs(sum(counties.numerator)), 0),
                        sum(counties.largest_employer_share * abs(counties.denominator))
                        / nullif(abs(sum(counties.denominator)), 0)
                    )
                )
        end as largest_employer_share,
        -- a sum of reports is that of the areas that reported; everything else needs all of its areas
        case
            when counties.sums_what_is_reported then bool_or(counties.is_supplied)
            else bool_and(counties.is_supplied)
        end as is_supplied
    from counties
    inner join dim_period
        on
            counties.period_type = dim_period.period_type
            and counties.period_end = dim_period.period_end
    inner join area_member
        on
            counties.area_code = area_member.county_code
            and dim_period.period_end >= area_member.valid_from
            and dim_period.period_end < area_member.valid_to
    where area_member.area_level not in ('county', 'other')
    group by
        counties.indicator_code,
        area_member.area_code,
        counties.period_type,
        counties.period_end,
        counties.breakdown,
        counties.breakdown_value,
        counties.sums_what_is_reported
)

select
    indicator_code,
    area_code,
    period_type,
    period_end,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    null::numeric as comparison_numerator,
    null::numeric as comparison_denominator,
    null::numeric as value,
    n_persons,
    n_numerator_persons,
    n_complement_persons,
    n_employers,
    largest_employer_share,
    null::text as source_kind,
    is_supplied
from rolled_up
