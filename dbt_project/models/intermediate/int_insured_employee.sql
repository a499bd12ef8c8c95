with

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

agreements as (
    select * from {{ ref('fct_collective_agreement') }}
),

slices as (
    {{ slices_of_readers() }}
),

days as (
    select distinct period_end
    from slices
),

covered_firms as (
    select
        days.period_end,
        agreements.uscc,
        bool_or(agreements.scope = '企业') as is_in_enterprise_agreement,
        bool_or(agreements.scope = '区域性') as is_in_regional_agreement,
        bool_or(agreements.scope = '行业性') as is_in_sectoral_agreement
    from agreements
    inner join days
        on
            agreements.valid_from <= days.period_end
            and agreements.valid_until >= days.period_end
    where agreements.is_skill_grade
    group by days.period_end, agreements.uscc
),

posts as (
    select
        days.period_end,
        spells.person_id,
        spells.work_area_code,
        spells.employer_code,
        spells.uscc
    from spells
    inner join days
        on
            spells.start_date <= days.period_end
            and (spells.end_date is null or spells.end_date >= days.period_end)
    where
        spells.is_insured
        and spells.employer_type = '01'
),

employees as (
    select
        posts.period_end,
        posts.person_id,
        posts.work_area_code,
        posts.employer_code,
        bool_or(covered_firms.uscc is not null) as is_covered,
        coalesce(bool_or(covered_firms.is_in_enterprise_agreement), false) as is_in_enterprise_agreement,
        coalesce(bool_or(covered_firms.is_in_regional_agreement), false) as is_in_regional_agreement,
        coalesce(bool_or(covered_firms.is_in_sectoral_agreement), false) as is_in_sectoral_agreement
    from posts
    left join covered_firms
        on
            posts.period_end = covered_firms.period_end
            and posts.uscc = covered_firms.uscc
    group by posts.period_end, posts.person_id, posts.work_area_code, posts.employer_code
)

select
    *,
    count(*) over (partition by period_end, person_id) = 1 as has_one_employer
from employees
