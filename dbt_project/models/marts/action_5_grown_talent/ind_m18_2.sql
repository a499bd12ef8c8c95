{{ indicator_config() }}

with

gained as (
    select * from {{ ref('int_contest_certificate') }}
),

members as (
    {{ slice_members() }}
),

in_period as (
    {{ in_members('gained', county='entrant_area_code', day='entered_on') }}
),

-- who gained several counts once, at the highest level
persons as (
    select
        area_code,
        period_type,
        period_end,
        person_id,
        coalesce(
            substr('54321TS', max(level_rank), 1),
            'special_only'
        ) as skill_level
    from in_period
    group by area_code, period_type, period_end, person_id
),

broken_down as (
    {{ total_and_parts('persons', ['skill_level']) }}
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
