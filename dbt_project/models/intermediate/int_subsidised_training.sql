{{ config(indexes=[{'columns': ['handling_area_code']}]) }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

sector_trainings as (
    select * from {{ ref('fct_sector_training') }}
),

-- on the subsidy list, paid already or not
listed as (
    select
        enrollment_id as record_id,
        true as states_groups,
        person_id,
        handling_area_code,
        residence_area_code,
        completion_date,
        priority_groups,
        coalesce(focus_sector, 'none') as focus_sector,
        coalesce(provider_type, 'unstated') as provider_type,
        coalesce(sex, 'unstated') as sex,
        {{ age_band('birth_year', 'completion_date') }} as age_band,
        {{ urban_rural('urban_rural_code') }} as urban_rural
    from trainings
    where
        status = '02'
        and completion_date is not null
        and subsidy_source != '00'
),

-- the same person in the same small class of occupations (小类) within a week is the same course, in two systems; where
-- one of the two is not coded the person and the week decide
sector_own as (
    select
        sector_trainings.department || '/' || sector_trainings.enrollment_id as record_id,
        false as states_groups,
        sector_trainings.person_id,
        sector_trainings.handling_area_code,
        sector_trainings.residence_area_code,
        sector_trainings.completion_date,
        null::text as priority_groups,
        'unstated' as focus_sector,
        'unstated' as provider_type,
        coalesce(sector_trainings.sex, 'unstated') as sex,
        {{ age_band('sector_trainings.birth_year', 'sector_trainings.completion_date') }} as age_band,
        'unstated' as urban_rural
    from sector_trainings
    where
        sector_trainings.status = '02'
        and sector_trainings.completion_date is not null
        and sector_trainings.is_subsidised
        and not exists (
            select 1
            from trainings
            where
                trainings.person_id = sector_trainings.person_id
                and trainings.start_date between sector_trainings.start_date - 7 and sector_trainings.start_date + 7
                and coalesce(
                    left(trainings.occupation_code, 7) = left(sector_trainings.occupation_code, 7), true
                )
                and trainings.status != '09'
        )
),

subsidised as (
    select * from listed
    union all
    select * from sector_own
),

with_origin as (
    select
        *,
        case
            when residence_area_code = handling_area_code then 'county'
            when residence_area_code = 'OUT' then 'outside'
            when residence_area_code = 'UNK' then 'unstated'
            else 'province'
        end as origin
    from subsidised
)

select * from with_origin
