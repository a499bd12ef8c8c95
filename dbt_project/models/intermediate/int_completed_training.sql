{{ config(materialized='ephemeral') }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

completed as (
    select *
    from trainings
    where
        status = '02'
        and completion_date is not null
),

-- a record counts once in its month, once in its quarter and once in its year
placed as (
    select
        completed.enrollment_id,
        completed.person_id,
        completed.residence_county_code,
        completed.priority_groups,
        completed.focus_sector,
        completed.ends_in_assessment,
        completed.start_date,
        completed.completion_date,
        completed.occupation_code,
        period_kind.period_type,
        date_trunc(period_kind.period_type, completed.completion_date::timestamp)::date as period_start
    from completed
    cross join (values ('month'), ('quarter'), ('year')) as period_kind (period_type)
)

select * from placed
