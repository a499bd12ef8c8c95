{{ config(materialized='view') }}

with

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

seed_method as (
    select * from {{ ref('seed_method') }}
),

indicator_part as (
    select * from {{ ref('indicator_part') }}
),

indicator_base as (
    select * from {{ ref('indicator_base') }}
),

indicator_rollup as (
    select * from {{ ref('indicator_rollup') }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

dim_area as (
    select * from {{ ref('dim_area') }}
),

-- what adds up, and what is confidential: where such a cell were missing, everybody would know that nobody is there
framed as (
    select
        seed_indicator.indicator_code,
        seed_method.value_from,
        seed_method.numerator_is in ('count', 'amount') as has_numerator,
        seed_method.denominator_is in ('count', 'amount') as has_denominator
    from seed_indicator
    inner join seed_method
        on seed_indicator.method = seed_method.method
    where
        seed_method.is_additive
        or seed_indicator.disclosure != 'none'
),

-- in every period that the feeds cover, for every area
lead_cells as (
    select
        framed.*,
        dim_area.area_code,
        covered_periods.period_type,
        covered_periods.period_end,
        indicator_part.breakdown,
        indicator_part.breakdown_value
    from framed
    inner join indicator_part
        on
            framed.indicator_code = indicator_part.indicator_code
            and indicator_part.leads
    inner join covered_periods
        on framed.indicator_code = covered_periods.indicator_code
    inner join dim_area
        on
            indicator_part.area_level = dim_area.area_level
            and covered_periods.period_end >= dim_area.valid_from
            and covered_periods.period_end < dim_area.valid_to
),

made_totals as (
    select
        indicator_code,
        area_code,
        period_type,
        period_end
    from indicator_base
    where breakdown = 'total'
    union all
    select
        indicator_code,
        area_code,
        period_type,
        period_end
    from indicator_rollup
    where breakdown = 'total'
),

-- beside a total in which anything was counted; of a total of nobody no part is shown, and none is needed
led_cells as (
    select
        framed.*,
        made_totals.area_code,
        made_totals.period_type,
        made_totals.period_end,
        indicator_part.breakdown,
        indicator_part.breakdown_value
    from framed
    inner join made_totals
        on framed.indicator_code = made_totals.indicator_code
    inner join dim_area
        on made_totals.area_code = dim_area.area_code
    inner join indicator_part
        on
            framed.indicator_code = indicator_part.indicator_code
            and dim_area.area_level = indicator_part.area_level
            and not indicator_part.leads
),

cells as (
    select * from lead_cells
    union all
    select * from led_cells
)

select
    indicator_code,
    area_code,
    period_type,
    period_end,
    breakdown,
    breakdown_value,
    case when has_numerator then 0::numeric end as numerator,
    case when has_denominator then 0::numeric end as denominator,
    case when value_from = 'ratio_of_quotients' then 0::numeric end as comparison_numerator,
    case when value_from = 'ratio_of_quotients' then 0::numeric end as comparison_denominator,
    null::numeric as value,
    0::bigint as n_persons,
    0::bigint as n_numerator_persons,
    0::bigint as n_complement_persons,
    0::bigint as n_employers,
    null::numeric as largest_employer_share,
    null::text as source_kind,
    true as is_supplied
from cells
