{{ indicator_config() }}

with

employees as (
    select * from {{ ref('int_insured_employee') }}
),

members as (
    {{ slice_members() }}
),

-- who has one employer only adds up over counties; the others are told apart in each area
with_one_employer as (
    select
        period_end,
        work_area_code,
        employer_code,
        is_covered,
        is_in_enterprise_agreement,
        is_in_regional_agreement,
        is_in_sectoral_agreement,
        null::uuid as person_id,
        count(*) as n_employees
    from employees
    where has_one_employer
    group by
        period_end,
        work_area_code,
        employer_code,
        is_covered,
        is_in_enterprise_agreement,
        is_in_regional_agreement,
        is_in_sectoral_agreement
),

posts as (
    select * from with_one_employer
    union all
    select
        period_end,
        work_area_code,
        employer_code,
        is_covered,
        is_in_enterprise_agreement,
        is_in_regional_agreement,
        is_in_sectoral_agreement,
        person_id,
        1 as n_employees
    from employees
    where not has_one_employer
),

in_areas as (
    {{ in_members('posts', county='work_area_code', match=['period_end']) }}
),

-- once in the total and once in each scope: a firm may stand in agreements of several
in_parts as (
    select
        in_areas.area_code,
        in_areas.period_type,
        in_areas.period_end,
        in_areas.employer_code,
        in_areas.person_id,
        in_areas.n_employees,
        part.breakdown,
        part.breakdown_value,
        part.is_there
    from in_areas
    cross join lateral (
        values
        ('total', 'total', in_areas.is_covered),
        ('agreement_scope_of_firm', 'enterprise', in_areas.is_in_enterprise_agreement),
        ('agreement_scope_of_firm', 'regional', in_areas.is_in_regional_agreement),
        ('agreement_scope_of_firm', 'sectoral', in_areas.is_in_sectoral_agreement)
    ) as part (breakdown, breakdown_value, is_there)
),

persons as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        is_there,
        n_employees
    from in_parts
    where person_id is null
    union all
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        bool_or(is_there) as is_there,
        1 as n_employees
    from in_parts
    where person_id is not null
    group by area_code, period_type, period_end, breakdown, breakdown_value, person_id
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        coalesce(sum(n_employees) filter (where is_there), 0) as numerator,
        sum(n_employees) as denominator
    from persons
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

employers as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        employer_code,
        bool_or(is_there) as is_there,
        sum(n_employees) as n_employees
    from in_parts
    group by area_code, period_type, period_end, breakdown, breakdown_value, employer_code
),

counted_employers as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_there) as n_employers,
        greatest(
            max(n_employees) filter (where is_there) / sum(n_employees) filter (where is_there),
            max(n_employees) / sum(n_employees)
        ) as largest_employer_share
    from employers
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

cells as (
    select
        counted.area_code,
        counted.period_type,
        counted.period_end,
        counted.breakdown,
        counted.breakdown_value,
        counted.numerator,
        counted.denominator,
        counted.denominator as n_persons,
        counted_employers.n_employers,
        counted_employers.largest_employer_share
    from counted
    inner join counted_employers
        on
            counted.area_code = counted_employers.area_code
            and counted.period_type = counted_employers.period_type
            and counted.period_end = counted_employers.period_end
            and counted.breakdown = counted_employers.breakdown
            and counted.breakdown_value = counted_employers.breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_employers', 'largest_employer_share']) }}
