{{ indicator_config() }}

with

enrollments as (
    select * from {{ ref('fct_technician_enrollment') }}
),

slices as (
    {{ affected_slices() }}
),

-- the autumn term's intake; who returns after a leave of absence was taken in before
intake as (
    select
        person_id,
        school_area_code,
        enrolled_on,
        class_type,
        case
            when origin_area_code = 'UNK' then 'unstated'
            when origin_area_code = 'OUT' then 'outside'
            when origin_area_code = school_area_code then 'county'
            else 'province'
        end as origin
    from enrollments
    where
        is_intake
        and class_type in ('01', '02')
        and entrant_type = '01'
        and extract(month from enrolled_on) >= 7
),

placed as (
    {{ in_slices('intake', area='school_area_code', day='enrolled_on') }}
),

parts as (
    {{ total_and_parts('placed', ['class_type', 'origin']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
