{#- Of fewer periods, or of fewer counties in a period, a median says nothing. -#}
{%- set fewest_periods = 6 -%}
{%- set fewest_counties = 10 -%}
{#- Listed is what lies so many robust standard deviations off and is so many times what was to be expected. -#}
{%- set largest_distance = 6 -%}
{%- set smallest_factor = 1.4 -%}
{#- A count differs by its square root by chance: listed is what differs by more than so many times that. -#}
{%- set largest_chance = 2 -%}
{#- Scale of a median absolute deviation that equals the standard deviation of a normal distribution. -#}
{%- set normal_scale = 1.4826 -%}
{{ config(
    indexes=[{'columns': ['indicator_code', 'area_code', 'period_type', 'period_end'], 'unique': true}],
    pre_hook=hash_joins()
) }}

with

indicator_value as (
    select * from {{ ref('indicator_value') }}
),

-- what readers are shown, and nothing else: a list of what is hidden would tell it
shown as (
    select
        indicator_code,
        area_code,
        period_type,
        period_end,
        period_label,
        numerator,
        value,
        maturity,
        data_as_of,
        ln(value)::double precision as log_value
    from indicator_value
    where
        area_level = 'county'
        and breakdown = 'total'
        and period_type in ('month', 'quarter')
        and value_status = 'reported'
        and value > 0
),

own as (
    select
        indicator_code,
        area_code,
        period_type,
        percentile_cont(0.5) within group (order by log_value) as usual,
        percentile_cont(0.5) within group (order by numerator) as usual_numerator
    from shown
    group by indicator_code, area_code, period_type
    having count(*) >= {{ fewest_periods }}
),

against_own as (
    select
        shown.*,
        own.usual,
        own.usual_numerator,
        shown.log_value - own.usual as deviation
    from shown
    inner join own
        on
            shown.indicator_code = own.indicator_code
            and shown.area_code = own.area_code
            and shown.period_type = own.period_type
),

-- the season and the trend that all counties share
common as (
    select
        indicator_code,
        period_type,
        period_end,
        percentile_cont(0.5) within group (order by deviation) as movement
    from against_own
    group by indicator_code, period_type, period_end
    having count(*) >= {{ fewest_counties }}
),

residual as (
    select
        against_own.*,
        exp(against_own.usual + common.movement) as expected,
        against_own.deviation - common.movement as distance
    from against_own
    inner join common
        on
            against_own.indicator_code = common.indicator_code
            and against_own.period_type = common.period_type
            and against_own.period_end = common.period_end
),

spread_of_indicator as (
    select
        indicator_code,
        period_type,
        {{ normal_scale }} * percentile_cont(0.5) within group (order by abs(distance)) as spread
    from residual
    group by indicator_code, period_type
),

spread_of_county as (
    select
        indicator_code,
        area_code,
        period_type,
        {{ normal_scale }} * percentile_cont(0.5) within group (order by abs(distance)) as spread
    from residual
    group by indicator_code, area_code, period_type
),

measured as (
    select
        residual.*,
        -- a county that always moves much is not listed for it; one that hardly ever does is measured by all; and of a
        -- handful one more or less is no outlier, though there was none for years
        greatest(
            of_county.spread,
            of_indicator.spread,
            {{ largest_chance }} / {{ largest_distance }}.0 / sqrt(nullif(residual.usual_numerator, 0))
        ) as spread
    from residual
    inner join spread_of_indicator as of_indicator
        on
            residual.indicator_code = of_indicator.indicator_code
            and residual.period_type = of_indicator.period_type
    inner join spread_of_county as of_county
        on
            residual.indicator_code = of_county.indicator_code
            and residual.area_code = of_county.area_code
            and residual.period_type = of_county.period_type
)

select
    indicator_code,
    area_code,
    period_type,
    period_end,
    period_label,
    value,
    round(expected::numeric, 4) as expected_value,
    round(exp(distance)::numeric, 4) as factor,
    round((distance / nullif(spread, 0))::numeric, 2) as robust_distance,
    maturity,
    data_as_of
from measured
where
    abs(distance) > {{ largest_distance }} * spread
    and abs(distance) > ln({{ smallest_factor }})
