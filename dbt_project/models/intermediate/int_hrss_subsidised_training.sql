{{ config(indexes=[{'columns': ['handling_area_code']}]) }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

-- on the subsidy list, paid already or not
listed as (
    select
        enrollment_id as record_id,
        person_id,
        handling_area_code,
        residence_area_code,
        occupation_code,
        start_date,
        completion_date,
        priority_groups,
        graduate_status,
        project_code,
        provider_uscc,
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
)

select * from listed
