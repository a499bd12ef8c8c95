{{ indicator_config() }}

with

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

slices as (
    {{ affected_slices() }}
),

in_period as (
    {{ in_slices('workforce', match=['period_end']) }}
),

-- a person has one level in an area, the highest
technicians as (
    select
        area_code,
        period_type,
        period_end,
        breakdown_value as skill_level,
        n_employed as persons
    from in_period
    where
        breakdown = 'skill_level'
        and breakdown_value in ('T', 'S')
),

broken_down as (
    {{ total_and_parts('technicians', ['skill_level']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(persons) as numerator,
        sum(persons) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
