{{ indicator_config() }}

with

activities as (
    select * from {{ ref('fct_rural_teaching') }}
),

slices as (
    {{ affected_slices() }}
),

contests as (
    select
        activities.county_code as area_code,
        activities.held_on,
        entered.entrant,
        entered.entries
    from activities
    cross join
        lateral (
            values
            ('teacher', activities.teacher_entries),
            ('student', activities.student_entries)
        ) as entered (entrant, entries)
    where
        activities.activity_kind = '02'
        and entered.entries > 0
),

in_period as (
    {{ in_slices('contests', day='held_on') }}
),

broken_down as (
    {{ total_and_parts('in_period', ['entrant']) }}
),

-- entries are reported as a number: as many persons at most stand behind it
cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(entries) as numerator,
        sum(entries) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
