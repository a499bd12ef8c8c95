{{ indicator_config() }}

with

stock as (
    select * from {{ ref('int_apprentice_stock') }}
),

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

members as (
    {{ slice_members() }}
),

slices as (
    {{ affected_slices() }}
),

placed as (
    {{ in_members('stock', county='work_area_code', match=['period_end']) }}
),

-- whoever is an apprentice twice is one in an area, by what began last
ranked as (
    select
        area_code,
        period_type,
        period_end,
        entrant_type,
        target_level,
        row_number() over (
            partition by area_code, period_type, period_end, person_id
            order by start_date desc, apprenticeship_id collate "C" desc
        ) as apprenticeship_rank
    from placed
),

apprentices as (
    select
        area_code,
        period_type,
        period_end,
        entrant_type,
        target_level as aimed_level
    from ranked
    where apprenticeship_rank = 1
),

broken_down as (
    {{ total_and_parts('apprentices', ['entrant_type', 'aimed_level']) }}
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as n_apprentices
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

counts as (
    {{ in_slices('workforce', match=['period_end']) }}
),

employees as (
    select
        area_code,
        period_type,
        period_end,
        n_enterprise_employees
    from counts
    where
        breakdown = 'total'
        and n_enterprise_employees > 0
    union all
    -- apprentices are counted where no enterprise employs anybody too
    select
        area_code,
        period_type,
        period_end,
        0 as n_enterprise_employees
    from counted
    where breakdown = 'total'
),

areas as (
    select
        area_code,
        period_type,
        period_end,
        max(n_enterprise_employees) as n_enterprise_employees
    from employees
    group by area_code, period_type, period_end
),

kinds as (
    select
        breakdown,
        breakdown_value
    from {{ ref('seed_breakdown_value') }}
    where breakdown in ('total', 'entrant_type', 'aimed_level')
),

-- of all employees, so that the parts add up to the total
cells as (
    select
        areas.area_code,
        areas.period_type,
        areas.period_end,
        kinds.breakdown,
        kinds.breakdown_value,
        coalesce(counted.n_apprentices, 0) as numerator,
        areas.n_enterprise_employees as denominator,
        areas.n_enterprise_employees as n_persons
    from areas
    cross join kinds
    left join counted
        on
            areas.area_code = counted.area_code
            and areas.period_type = counted.period_type
            and areas.period_end = counted.period_end
            and kinds.breakdown = counted.breakdown
            and kinds.breakdown_value = counted.breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
