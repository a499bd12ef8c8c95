{{ indicator_config() }}

with

years as (
    select * from {{ ref('int_beautiful_workshop_year') }}
),

slices as (
    {{ affected_slices() }}
),

cells as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        years.monthly_gain_sum_cny as numerator,
        years.reporting_women as denominator,
        years.reporting_women as n_persons,
        years.period_end is not null as is_supplied
    from slices
    left join years
        on slices.period_end = years.period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'is_supplied']) }}
