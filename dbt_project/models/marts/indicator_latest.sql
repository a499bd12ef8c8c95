with

indicator_value as (
    select * from {{ ref('indicator_value') }}
),

reported as (
    select
        indicator_code,
        area_level,
        period_type,
        period_end,
        period_label,
        -- a settled figure of any area settles the period: they all wait for the same feeds
        min(maturity) as maturity
    from indicator_value
    where value_status = 'reported'
    group by
        indicator_code,
        area_level,
        period_type,
        period_end,
        period_label
),

ordered as (
    select
        *,
        row_number() over (
            partition by indicator_code, area_level, period_type
            order by maturity = 'final' desc, period_end desc
        ) as choice
    from reported
)

select
    indicator_code,
    area_level,
    period_type,
    period_end,
    period_label,
    maturity
from ordered
where choice = 1
