{{ config(materialized='ephemeral') }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

completed as (
    select
        enrollment_id,
        person_id,
        residence_area_code,
        priority_groups,
        focus_sector,
        ends_in_assessment,
        start_date,
        completion_date,
        occupation_code
    from trainings
    where
        status = '02'
        and completion_date is not null
)

select * from completed
