with

indicator_shown as (
    select * from {{ ref('indicator_shown') }}
),

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

known as (
    select
        indicator_shown.*,
        case seed_indicator.direction
            when 'down' then indicator_shown.value
            when 'towards_1' then abs(indicator_shown.value - 1)
            else -indicator_shown.value
        end as distance
    from indicator_shown
    inner join seed_indicator
        on indicator_shown.indicator_code = seed_indicator.indicator_code
    where
        indicator_shown.area_level in ('county', 'city')
        and indicator_shown.value is not null
        and indicator_shown.maturity = 'final'
        -- where neither more nor less is better, an order says nothing
        and seed_indicator.direction != 'neutral'
),

spread_out as (
    select
        *,
        stddev_samp(value) over (
            partition by
                indicator_code, area_level, period_type, period_end, breakdown, breakdown_value, source_kind
        ) as spread
    from known
),

-- among figures that rounding could exchange, a place would be chance
comparable as (
    select * from spread_out
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
    rank() over (areas order by distance)::integer as area_rank,
    count(*) over areas::integer as areas_ranked,
    'internal' as audience
from comparable
window
    areas as (
        partition by indicator_code, area_level, period_type, period_end, breakdown, breakdown_value, source_kind
    )
