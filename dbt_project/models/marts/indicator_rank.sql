with

ranked as (
    select
        cell.indicator_code,
        cell.area_code,
        cell.area_level,
        cell.period_type,
        cell.period_start,
        cell.period_end,
        cell.period_label,
        cell.breakdown,
        cell.breakdown_value,
        rank() over (
            partition by
                cell.indicator_code,
                cell.area_level,
                cell.period_type,
                cell.period_end,
                cell.breakdown,
                cell.breakdown_value,
                cell.source_kind
            order by
                case indicator.direction
                    when 'down' then cell.value
                    when 'towards_1' then abs(cell.value - 1)
                    else -cell.value
                end
        )::integer as area_rank,
        count(*) over (
            partition by
                cell.indicator_code,
                cell.area_level,
                cell.period_type,
                cell.period_end,
                cell.breakdown,
                cell.breakdown_value,
                cell.source_kind
        )::integer as areas_ranked
    from {{ ref('indicator_value') }} as cell
    inner join {{ ref('seed_indicator') }} as indicator
        on cell.indicator_code = indicator.indicator_code
    where
        cell.area_level in ('county', 'city')
        and cell.value is not null
        and cell.maturity = 'final'
        -- where neither more nor less is better, an order says nothing
        and indicator.direction != 'neutral'
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
