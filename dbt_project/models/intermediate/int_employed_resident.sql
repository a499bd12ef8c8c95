with

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

slices as (
    {{ slices_of_readers() }}
),

days as (
    select distinct period_end
    from slices
),

-- where somebody lives is what the spell in force that began last says
in_force as (
    select
        days.period_end,
        spells.residence_area_code,
        {{ urban_rural('spells.urban_rural_code') }} as urban_rural,
        row_number() over (
            partition by days.period_end, spells.person_id
            order by spells.start_date desc, spells.employer_code collate "C" desc, spells.work_area_code asc
        ) as spell_rank
    from spells
    inner join days
        on
            spells.start_date <= days.period_end
            and (spells.end_date is null or spells.end_date >= days.period_end)
),

residents as (
    select
        period_end,
        residence_area_code,
        urban_rural,
        count(*) as n_employed
    from in_force
    where spell_rank = 1
    group by period_end, residence_area_code, urban_rural
)

select * from residents
