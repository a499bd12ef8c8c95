{{ indicator_config() }}

with

entries as (
    select * from {{ ref('fct_competition_entry') }}
),

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

entry_levels as (
    select
        breakdown,
        breakdown_value
    from {{ ref('seed_breakdown_value') }}
    where breakdown = 'entry_level'
),

members as (
    {{ slice_members() }}
),

slices as (
    {{ affected_slices() }}
),

in_period as (
    {{ in_members('entries', county='entrant_area_code', day='entered_on') }}
),

levelled as (
    select
        *,
        coalesce(contest_level, 'unstated') as entry_level
    from in_period
),

broken_down as (
    {{ total_and_parts('levelled', ['entry_level']) }}
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as n_entries,
        count(distinct person_id) as n_entrants
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

employed as (
    {{ in_slices('workforce', match=['period_end']) }}
),

parts as (
    select
        'total' as breakdown,
        'total' as breakdown_value
    union all
    select * from entry_levels
),

-- of all who are employed there, whatever the level: the levels add up to the total
cells as (
    select
        employed.area_code,
        employed.period_type,
        employed.period_end,
        parts.breakdown,
        parts.breakdown_value,
        coalesce(counted.n_entries, 0) as numerator,
        employed.n_employed as denominator,
        employed.n_employed as n_persons,
        coalesce(counted.n_entrants, 0) as n_numerator_persons
    from employed
    cross join parts
    left join counted
        on
            employed.area_code = counted.area_code
            and employed.period_type = counted.period_type
            and employed.period_end = counted.period_end
            and parts.breakdown = counted.breakdown
            and parts.breakdown_value = counted.breakdown_value
    where employed.breakdown = 'total'
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons']) }}
