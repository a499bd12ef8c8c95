{{ indicator_config() }}

with

forecasts as (
    select * from {{ ref('fct_demand_forecast') }}
),

slices as (
    {{ affected_slices() }}
),

-- each county once, whether it has a forecast or not
counties as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        exists(
            select 1
            from forecasts
            where
                {{ is_county_or_its_city('forecasts.forecast_area_code', 'slices.area_code') }}
                and forecasts.published_on > slices.period_end - interval '12 months'
                and forecasts.published_on <= slices.period_end
        ) as has_forecast
    from slices
    where slices.area_level = 'county'
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        has_forecast::integer as numerator,
        1 as denominator
    from counties
)

{{ base_cells(['numerator', 'denominator']) }}
