{{ config(indexes=[{'columns': ['handling_area_code']}]) }}

with

listed as (
    select * from {{ ref('int_hrss_subsidised_training') }}
),

sector_trainings as (
    select * from {{ ref('fct_sector_training') }}
),

-- the sectors' records do not say to which group, sector or kind of provider a training belongs, nor where in a county
-- somebody lives
sector_listed as (
    select
        department,
        department || '/' || enrollment_id as record_id,
        person_id,
        handling_area_code,
        residence_area_code,
        occupation_code,
        start_date,
        completion_date,
        null::text as priority_groups,
        'unstated' as focus_sector,
        'unstated' as provider_type,
        coalesce(sex, 'unstated') as sex,
        {{ age_band('birth_year', 'completion_date') }} as age_band,
        'unstated' as urban_rural,
        row_number() over (
            partition by person_id
            order by completion_date asc, department collate "C" asc, enrollment_id collate "C" asc
        ) as order_of_completion
    from sector_trainings
    where
        status = '02'
        and completion_date is not null
        and is_subsidised
),

-- a course that stands in several systems counts once: with the human resources departments where they count it, else
-- with the department that had it completed first
sector_own as (
    select sector_listed.*
    from sector_listed
    where
        not exists (
            select 1
            from listed
            where {{ is_same_course('listed', 'sector_listed') }}
        )
        and not exists (
            select 1
            from sector_listed as earlier
            where
                {{ is_same_course('earlier', 'sector_listed') }}
                and earlier.department != sector_listed.department
                and earlier.order_of_completion < sector_listed.order_of_completion
        )
),

subsidised as (
    select
        record_id,
        person_id,
        handling_area_code,
        residence_area_code,
        start_date,
        completion_date,
        priority_groups,
        focus_sector,
        provider_type,
        sex,
        age_band,
        urban_rural
    from listed
    union all
    select
        record_id,
        person_id,
        handling_area_code,
        residence_area_code,
        start_date,
        completion_date,
        priority_groups,
        focus_sector,
        provider_type,
        sex,
        age_band,
        urban_rural
    from sector_own
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
