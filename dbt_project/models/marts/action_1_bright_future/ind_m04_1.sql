{{ indicator_config() }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

members as (
    {{ slice_members() }}
),

graduates as (
    select
        enrollment_id,
        person_id,
        residence_area_code,
        completion_date,
        graduate_status,
        coalesce(sex, 'unstated') as sex
    from trainings
    where
        status = '02'
        and completion_date is not null
        and graduate_status is not null
),

placed as (
    {{ in_members('graduates', county='residence_area_code', day='completion_date') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by area_code, period_type, period_end, person_id
            order by completion_date desc, enrollment_id collate "C" desc
        ) as course_rank
    from placed
),

-- a person counts once in an area and period, with what the last course there says
persons as (
    select *
    from ranked
    where course_rank = 1
),

parts as (
    {{ total_and_parts('persons', ['graduate_status', 'sex']) }}
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
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
