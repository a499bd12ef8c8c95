{{ indicator_config() }}

with

awards as (
    select * from {{ ref('int_title_award') }}
),

all_members as (
    {{ slice_members() }}
),

-- in a county there are too few
members as (
    select *
    from all_members
    where area_level in ('city', 'province')
),

green_channel as (
    select *
    from awards
    where is_green_channel
),

in_period as (
    {{ in_members('green_channel', county='employer_area_code', day='awarded_on') }}
),

-- who went both ways counts once, with the direct application
persons as (
    select
        area_code,
        period_type,
        period_end,
        person_id,
        min(route) as title_route
    from in_period
    group by area_code, period_type, period_end, person_id
),

broken_down as (
    {{ total_and_parts('persons', ['title_route']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(*) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
