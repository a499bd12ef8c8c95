{{ config(indexes=[{'columns': ['residence_area_code']}]) }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ slices_of_readers() }}
),

quarters as (
    {{ quarters_in('slices') }}
),

assessed as (
    select
        *,
        {{ age_band('birth_year', 'completion_date') }} as age_band
    from trainings
    where
        status = '02'
        and completion_date is not null
        and ends_in_assessment
),

ranked as (
    {{ courses_by_quarter('assessed', record='enrollment_id') }}
),

-- a person counts once in a quarter, with the last course
completers as (
    select
        person_id,
        completion_quarter_end,
        completion_date,
        residence_area_code,
        coalesce(sex, 'unstated') as sex,
        age_band,
        occupation_code,
        (date_trunc('month', completion_date::timestamp) + interval '7 months')::date - 1 as window_end
    from ranked
    where course_rank = 1
),

-- what stands at the end of the window, of the same small class of occupations (小类) as far as both are coded; a
-- revocation without a date was never valid
gained as (
    select
        completers.person_id,
        completers.completion_quarter_end,
        max(certificates.level_rank) as level_rank,
        bool_or(completers.occupation_code is not null and certificates.occupation_code is not null) as is_same_class
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
        or certificates.revoked_on > completers.window_end
    group by completers.person_id, completers.completion_quarter_end
),

followed as (
    select
        completers.person_id,
        completers.completion_quarter_end,
        completers.completion_date,
        completers.residence_area_code,
        completers.sex,
        completers.age_band,
        gained.person_id is not null as is_certified,
        -- null without a certificate; a special-ability certificate has no level
        case
            when gained.person_id is not null
                then coalesce((array['5', '4', '3', '2', '1', 'T', 'S'])[gained.level_rank], 'special_only')
        end as gained_level,
        case
            when gained.is_same_class then 'same_class'
            when gained.person_id is not null then 'uncoded'
        end as occupation_match
    from completers
    left join gained
        on
            completers.person_id = gained.person_id
            and completers.completion_quarter_end = gained.completion_quarter_end
)

select * from followed
