{{ indicator_config() }}

with

projects as (
    select * from {{ ref('fct_technician_project') }}
),

slices as (
    {{ affected_slices() }}
),

-- of one that was ended nobody notes the day: it counts on none
named as (
    select
        projects.project_id,
        slices.area_code,
        slices.period_type,
        slices.period_end,
        coalesce(projects.accepted_on <= slices.period_end, false) as is_accepted
    from projects
    inner join slices
        on
            projects.school_area_code = slices.area_code
            and projects.named_on <= slices.period_end
    where
        projects.project_kind = '01'
        and projects.status in ('01', '02')
),

-- only what was accepted is built; what is under construction stands beside the total
broken_down as (
    select
        named.*,
        part.breakdown,
        part.breakdown_value,
        part.is_in_it
    from named
    cross join lateral (
        values
        ('total', 'total', named.is_accepted),
        ('project_state', 'accepted', named.is_accepted),
        ('project_state', 'building', not named.is_accepted)
    ) as part (breakdown, breakdown_value, is_in_it)
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
    where is_in_it
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
