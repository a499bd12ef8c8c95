with

indicator_value as (
    select * from {{ ref('indicator_value') }}
),

indicator_shown as (
    select * from {{ ref('indicator_shown') }}
),

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

comparable as (
    select
        indicator_value.*,
        seed_indicator.direction,
        indicator_shown.rounding_error,
        stddev_samp(indicator_value.value) over (
            partition by
                indicator_value.indicator_code,
                indicator_value.area_level,
                indicator_value.period_type,
                indicator_value.period_end,
                indicator_value.breakdown,
                indicator_value.breakdown_value,
                indicator_value.source_kind
        ) as spread
    from indicator_value
    inner join indicator_shown
        on
            indicator_value.indicator_code = indicator_shown.indicator_code
            and indicator_value.area_code = indicator_shown.area_code
            and indicator_value.period_type = indicator_shown.period_type
            and indicator_value.period_end = indicator_shown.period_end
            and indicator_value.breakdown = indicator_shown.breakdown
            and indicator_value.breakdown_value = indicator_shown.breakdown_value
    inner join seed_indicator
        on indicator_value.indicator_code = seed_indicator.indicator_code
    where
        indicator_value.area_level in ('county', 'city')
        and indicator_value.value is not null
        and indicator_value.maturity = 'final'
        -- where neither more nor less is better, an order says nothing
        and seed_indicator.direction != 'neutral'
),

-- among figures that rounding could exchange, a place would be chance
ranked as (
    select
        indicator_code,
        area_code,
        area_level,
        period_type,
        period_start,
        period_end,
        period_label,
        breakdown,
        breakdown_value,
        rank() over (
            partition by
                indicator_code, area_level, period_type, period_end, breakdown, breakdown_value, source_kind
            order by
                case direction
                    when 'down' then value
                    when 'towards_1' then abs(value - 1)
                    else -value
                end
        )::integer as area_rank,
        count(*) over (
            partition by
                indicator_code, area_level, period_type, period_end, breakdown, breakdown_value, source_kind
        )::integer as areas_ranked
    from comparable
    where rounding_error <= coalesce(spread, 0) * {{ largest_rounding_in_a_rank() }}
)

select
    indicator_code,
    area_code,
    area_level,
    period_type,
    period_start,
    period_end,
    period_label,
    breakdown,
    breakdown_value,
    area_rank,
    areas_ranked,
    'internal' as audience
from ranked
