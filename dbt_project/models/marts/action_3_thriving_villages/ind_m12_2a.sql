{{ indicator_config() }}

with

workshops as (
    select * from {{ ref('fct_prosperity_workshop') }}
),

slices as (
    {{ affected_slices() }}
),

running as (
    select
        location_area_code,
        listed_on as period_end,
        -- a gain of nobody is none
        coalesce(monthly_gain_cny is not null and workers > 0, false) as has_reported_gain
    from workshops
    where is_running
),

in_period as (
    {{ in_slices('running', area='location_area_code', match=['period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where has_reported_gain) as numerator,
        count(*) as denominator
    from in_period
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator']) }}
