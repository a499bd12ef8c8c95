{{ config(materialized='table', indexes=[{'columns': ['served_on']}]) }}

with

members as (
    select * from {{ ref('fct_ecosystem_member') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

trainings as (
    select * from {{ ref('fct_training') }}
),

certificates as (
    select * from {{ ref('int_issued_certificate') }}
),

slices as (
    {{ slices_of_readers() }}
),

days as (
    select
        min(period_start) as first_day,
        max(period_end) as last_day
    from slices
),

-- the days on which a person works for a member
employed as (
    select
        spells.person_id,
        spells.uscc,
        members.location_area_code,
        spells.start_date,
        members.joined_on,
        members.ecosystem_id,
        greatest(spells.start_date, members.joined_on) as first_day,
        least(spells.end_date, members.left_on) as last_day
    from members
    inner join spells
        on
            members.member_uscc = spells.uscc
            and (members.left_on is null or members.left_on >= spells.start_date)
            and (spells.end_date is null or members.joined_on <= spells.end_date)
),

services as (
    select
        'training' as skill_service,
        trainings.enrollment_id as record_id,
        trainings.person_id,
        trainings.start_date as served_on
    from trainings
    inner join days
        on trainings.start_date between days.first_day and days.last_day
    where trainings.status != '09'
    union all
    select
        'assessment' as skill_service,
        certificates.certificate_type || ' ' || certificates.certificate_number as record_id,
        certificates.person_id,
        certificates.flow_date as served_on
    from certificates
    inner join days
        on certificates.flow_date between days.first_day and days.last_day
    where certificates.flow = 'issued'
),

-- a record counts once: with the post that began last, and of several ecosystems with the one joined last
ranked as (
    select
        services.skill_service,
        services.record_id,
        services.person_id,
        services.served_on,
        employed.uscc,
        employed.location_area_code,
        row_number() over (
            partition by services.skill_service, services.record_id
            order by
                employed.start_date desc,
                employed.joined_on desc,
                employed.uscc collate "C" asc,
                employed.ecosystem_id collate "C" asc
        ) as choice
    from services
    inner join employed
        on
            services.person_id = employed.person_id
            and services.served_on >= employed.first_day
            and (employed.last_day is null or services.served_on <= employed.last_day)
)

select
    skill_service,
    record_id,
    person_id,
    served_on,
    uscc,
    location_area_code
from ranked
where choice = 1
