{{ indicator_config() }}

with

awards as (
    select * from {{ ref('int_title_award') }}
),

members as (
    {{ slice_members() }}
),

of_high_skilled as (
    select *
    from awards
    where is_high_skilled
),

in_period as (
    {{ in_members('of_high_skilled', county='employer_area_code', day='awarded_on') }}
),

-- who was awarded several counts once, with the highest: level 1 is the highest of titles
persons as (
    select
        area_code,
        period_type,
        period_end,
        person_id,
        min(title_level) as title_level
    from in_period
    group by area_code, period_type, period_end, person_id
),

broken_down as (
    {{ total_and_parts('persons', ['title_level']) }}
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
