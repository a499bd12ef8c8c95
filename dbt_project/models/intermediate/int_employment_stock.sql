with

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

holders as (
    select * from {{ ref('int_holder_level') }}
),

slices as (
    {{ slices_of_readers() }}
),

days as (
    select distinct period_end
    from slices
),

in_force as (
    select
        days.period_end,
        spells.work_area_code,
        spells.residence_area_code,
        spells.person_id,
        spells.urban_rural_code,
        spells.birth_year,
        spells.sex,
        spells.start_date,
        spells.employer_code,
        row_number() over (
            partition by days.period_end, spells.person_id, spells.work_area_code
            order by spells.start_date desc, spells.employer_code collate "C" desc
        ) as spell_rank,
        -- by any registration there, not only the one that began last
        bool_or(coalesce(spells.is_insured and spells.employer_type = '01', false)) over (
            partition by days.period_end, spells.person_id, spells.work_area_code
        ) as is_enterprise_employee
    from spells
    inner join days
        on
            spells.start_date <= days.period_end
            and (spells.end_date is null or spells.end_date >= days.period_end)
),

latest_in_county as (
    select
        *,
        count(*) over (partition by period_end, person_id) = 1 as is_in_one_county,
        -- where somebody lives is what the last spell of all says
        row_number() over (
            partition by period_end, person_id
            order by start_date desc, employer_code collate "C" desc, work_area_code asc
        ) = 1 as is_last_of_person
    from in_force
    where spell_rank = 1
),

with_level as (
    select
        latest_in_county.period_end,
        latest_in_county.work_area_code,
        latest_in_county.residence_area_code,
        latest_in_county.person_id,
        latest_in_county.start_date,
        latest_in_county.employer_code,
        latest_in_county.is_in_one_county,
        latest_in_county.is_last_of_person,
        latest_in_county.is_enterprise_employee,
        {{ urban_rural('latest_in_county.urban_rural_code') }} as urban_rural,
        {{ age_band('latest_in_county.birth_year', 'latest_in_county.period_end') }} as age_band,
        coalesce(latest_in_county.sex, 'unstated') as sex,
        coalesce(holders.skill_level, 'none') as skill_level,
        holders.person_id is not null as is_certified,
        holders.level_rank is not null as is_levelled,
        coalesce(holders.level_rank >= 3, false) as is_high_skilled
    from latest_in_county
    left join holders
        on
            latest_in_county.period_end = holders.reference_date
            and latest_in_county.person_id = holders.person_id
)

select * from with_level
