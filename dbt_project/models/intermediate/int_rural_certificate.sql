{{ config(pre_hook=hash_joins()) }}

with

certificates as (
    select * from {{ ref('int_issued_certificate') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
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

issued as (
    select
        certificates.certificate_type,
        certificates.certificate_number,
        certificates.person_id,
        certificates.flow_date as issued_on,
        certificates.urban_rural_code,
        certificates.residence_area_code
    from certificates
    inner join days
        on certificates.flow_date between days.first_day and days.last_day
    where certificates.flow = 'issued'
),

-- where a certificate does not say how its holder lived, the registration in force on the day that began last does
registered as (
    select
        issued.certificate_type,
        issued.certificate_number,
        spells.urban_rural_code,
        spells.residence_area_code,
        row_number() over (
            partition by issued.certificate_type, issued.certificate_number
            order by spells.start_date desc, spells.employer_code collate "C" desc
        ) as spell_rank
    from issued
    inner join spells
        on
            issued.person_id = spells.person_id
            and issued.issued_on >= spells.start_date
            and (spells.end_date is null or issued.issued_on <= spells.end_date)
    where issued.urban_rural_code is null
),

resident as (
    select
        issued.certificate_type,
        issued.certificate_number,
        issued.person_id,
        issued.issued_on,
        coalesce(issued.urban_rural_code, registered.urban_rural_code) as urban_rural_code,
        case
            when issued.urban_rural_code is null
                then coalesce(registered.residence_area_code, issued.residence_area_code)
            else issued.residence_area_code
        end as residence_area_code
    from issued
    left join registered
        on
            issued.certificate_type = registered.certificate_type
            and issued.certificate_number = registered.certificate_number
            and registered.spell_rank = 1
)

select
    certificate_type,
    certificate_number,
    person_id,
    issued_on,
    residence_area_code
from resident
where
    {{ urban_rural('urban_rural_code') }} = '2'
    and residence_area_code != 'OUT'
