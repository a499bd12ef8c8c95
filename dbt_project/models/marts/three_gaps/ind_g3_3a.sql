{{ indicator_config() }}

with

wage_spread as (
    select *
    from {{ ref('int_area_wage_spread') }}
    where
        period_end = year_end
        and n_bottom > 0
),

slices as (
    {{ affected_slices() }}
),

spread as (
    {{ in_slices('wage_spread', match=['period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        bottom_floored_records as numerator,
        bottom_records as denominator,
        n_bottom as n_persons,
        n_bottom_floored as n_numerator_persons,
        n_bottom_not_floored as n_complement_persons
    from spread
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
