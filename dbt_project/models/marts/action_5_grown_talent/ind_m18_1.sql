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

counts as (
    {{ in_slices('workforce', match=['period_end']) }}
),

employed as (
    select
        area_code,
        period_type,
        period_end,
        n_employed
    from counts
    where breakdown = 'total'
    union all
    -- who enters is counted where nobody is employed too
    select
        area_code,
        period_type,
        period_end,
        0 as n_employed
    from counted
    where breakdown = 'total'
),

areas as (
    select
        area_code,
        period_type,
        period_end,
        max(n_employed) as n_employed
    from employed
    group by area_code, period_type, period_end
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
        areas.area_code,
        areas.period_type,
        areas.period_end,
        parts.breakdown,
        parts.breakdown_value,
        coalesce(counted.n_entries, 0) as numerator,
        areas.n_employed as denominator,
        areas.n_employed as n_persons,
        coalesce(counted.n_entrants, 0) as n_numerator_persons
    from areas
    cross join parts
    left join counted
        on
            areas.area_code = counted.area_code
            and areas.period_type = counted.period_type
            and areas.period_end = counted.period_end
            and parts.breakdown = counted.breakdown
            and parts.breakdown_value = counted.breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons']) }}
