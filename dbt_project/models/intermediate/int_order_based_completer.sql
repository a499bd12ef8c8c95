{{ config(indexes=[{'columns': ['residence_area_code']}]) }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

vacancies as (
    select * from {{ ref('fct_job_vacancy') }}
),

certificates as (
    select * from {{ ref('fct_certificate') }}
),

services as (
    select * from {{ ref('fct_employment_service') }}
),

slices as (
    {{ slices_of_readers() }}
),

quarters as (
    {{ quarters_in('slices') }}
),

order_based as (
    select *
    from trainings
    where
        status = '02'
        and completion_date is not null
        and is_order_based
),

ranked as (
    {{ courses_by_quarter('order_based', record='enrollment_id') }}
),

-- a person counts once in a quarter, with the last course
completers as (
    select
        person_id,
        completion_quarter_end,
        completion_date,
        start_date,
        residence_area_code,
        project_code,
        occupation_code,
        assessment_failed_on,
        (date_trunc('month', completion_date::timestamp) + interval '7 months')::date - 1 as window_end
    from ranked
    where course_rank = 1
),

-- a need that was posted for the project before the course, and not long before
needed as (
    select distinct
        completers.person_id,
        completers.completion_quarter_end
    from completers
    inner join vacancies
        on
            completers.project_code = vacancies.project_code
            and completers.start_date >= vacancies.posted_on
            and (completers.start_date::timestamp - interval '12 months')::date <= vacancies.posted_on
),

-- of the same small class of occupations (小类) as far as both are coded; a revocation without a date was never valid
certified as (
    select distinct
        completers.person_id,
        completers.completion_quarter_end
    from completers
    inner join certificates
        on
            completers.person_id = certificates.person_id
            and certificates.issued_on between completers.completion_date and completers.window_end
            and coalesce(
                left(completers.occupation_code, 7) = left(certificates.occupation_code, 7), true
            )
    where
        not certificates.is_revoked
        or certificates.revoked_on is not null
),

served as (
    select distinct
        completers.person_id,
        completers.completion_quarter_end
    from completers
    inner join services
        on
            completers.person_id = services.person_id
            and services.served_on between completers.start_date - 90 and completers.window_end
),

linked as (
    select
        completers.person_id,
        completers.completion_quarter_end,
        completers.completion_date,
        completers.residence_area_code,
        needed.person_id is not null as has_vacancy,
        certified.person_id is not null
        or coalesce(
            completers.assessment_failed_on between completers.completion_date and completers.window_end, false
        ) as is_assessed,
        served.person_id is not null as is_served
    from completers
    left join needed
        on
            completers.person_id = needed.person_id
            and completers.completion_quarter_end = needed.completion_quarter_end
    left join certified
        on
            completers.person_id = certified.person_id
            and completers.completion_quarter_end = certified.completion_quarter_end
    left join served
        on
            completers.person_id = served.person_id
            and completers.completion_quarter_end = served.completion_quarter_end
)

select * from linked
