{{ indicator_config() }}

with

competitions as (
    select * from {{ ref('fct_competition') }}
),

slices as (
    {{ affected_slices() }}
),

high_level as (
    select
        host_area_code,
        held_on,
        contest_level,
        host_kind as contest_host
    from competitions
    where contest_level in ('01', '02')
),

in_period as (
    {{ in_slices('high_level', area='host_area_code', day='held_on') }}
),

broken_down as (
    {{ total_and_parts('in_period', ['contest_level', 'contest_host']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
