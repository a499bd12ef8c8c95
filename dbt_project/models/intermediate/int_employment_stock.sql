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
        spells.person_id,
        spells.registration_kind,
        spells.start_date,
        spells.employer_code,
        row_number() over (
            partition by days.period_end, spells.person_id, spells.work_area_code
            order by spells.start_date desc, spells.employer_code collate "C" desc
        ) as spell_rank
    from spells
    inner join days
        on
            spells.start_date <= days.period_end
            and (spells.end_date is null or spells.end_date >= days.period_end)
),

latest_in_county as (
    select
        period_end,
        work_area_code,
        person_id,
        registration_kind,
        start_date,
        employer_code,
        count(*) over (partition by period_end, person_id) = 1 as is_in_one_county
    from in_force
    where spell_rank = 1
),

with_level as (
    select
        latest_in_county.period_end,
        latest_in_county.work_area_code,
        latest_in_county.person_id,
        latest_in_county.registration_kind,
        latest_in_county.start_date,
        latest_in_county.employer_code,
        latest_in_county.is_in_one_county,
        holders.person_id is not null as is_certified,
        coalesce(holders.level_rank >= 3, false) as is_high_skilled
    from latest_in_county
    left join holders
        on
            latest_in_county.period_end = holders.reference_date
            and latest_in_county.person_id = holders.person_id
)

select * from with_level
