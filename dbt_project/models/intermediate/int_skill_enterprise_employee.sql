with

enterprises as (
    select * from {{ ref('fct_skill_enterprise') }}
),

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

-- a revocation without a date holds from the recognition on
on_roster as (
    select
        days.period_end,
        enterprises.uscc,
        enterprises.county_code
    from enterprises
    inner join days
        on
            enterprises.recognised_on <= days.period_end
            and (
                enterprises.status != '已撤销'
                or coalesce(enterprises.revoked_on, enterprises.recognised_on) > days.period_end
            )
),

-- who works for several of them counts once, with the post that began last
employees as (
    select
        on_roster.period_end,
        on_roster.uscc,
        on_roster.county_code,
        spells.person_id,
        row_number() over (
            partition by on_roster.period_end, spells.person_id
            order by spells.start_date desc, spells.employer_code collate "C" desc, on_roster.uscc collate "C" asc
        ) as spell_rank
    from on_roster
    inner join spells
        on
            on_roster.uscc = spells.uscc
            and on_roster.period_end >= spells.start_date
            and (spells.end_date is null or on_roster.period_end <= spells.end_date)
    where spells.is_insured
),

with_level as (
    select
        employees.period_end,
        employees.person_id,
        employees.uscc,
        employees.county_code,
        holders.person_id is not null as is_certified,
        holders.level_rank is not null as is_levelled,
        coalesce(holders.level_rank >= 3, false) as is_high_skilled
    from employees
    left join holders
        on
            employees.period_end = holders.reference_date
            and employees.person_id = holders.person_id
    where employees.spell_rank = 1
)

select * from with_level
