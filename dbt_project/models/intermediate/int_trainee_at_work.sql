{{ config(indexes=[{'columns': ['start_date']}]) }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

-- with work on the first day, so that those who are counted are of those whom they are set against
at_work as (
    select
        enrollment_id,
        person_id,
        residence_area_code,
        start_date,
        {{ urban_rural('urban_rural_code') }} as urban_rural
    from trainings
    where
        status != '09'
        and exists (
            select 1
            from spells
            where
                spells.person_id = trainings.person_id
                and spells.start_date <= trainings.start_date
                and coalesce(spells.end_date, 'infinity'::date) >= trainings.start_date
        )
)

select * from at_work
