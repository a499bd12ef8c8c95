{%- set counts -%}
        count(*) as n_employed,
        count(*) filter (where is_certified) as n_certified,
        count(*) filter (where is_levelled) as n_levelled,
        count(*) filter (where is_high_skilled) as n_high_skilled,
        count(*) filter (where is_enterprise_employee) as n_enterprise_employees
{%- endset -%}
{%- set breakdowns = ['sex', 'age_band', 'urban_rural', 'skill_level'] -%}

with

stock as (
    select * from {{ ref('int_employment_stock') }}
),

slices as (
    {{ slices_of_readers() }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

areas as (
    select distinct
        area_code,
        period_end
    from slices
),

-- membership and stock are those at the end of the period
members as (
    select
        areas.area_code,
        areas.period_end,
        area_member.county_code
    from areas
    inner join area_member
        on
            areas.area_code = area_member.area_code
            and areas.period_end >= area_member.valid_from
            and areas.period_end < area_member.valid_to
),

-- persons of one county add up over counties; those of several are told apart in each area
one_county as (
    select
        period_end,
        work_area_code,
        {{ breakdowns | join(', ') }},
        {{ counts }}
    from stock
    where is_in_one_county
    group by period_end, work_area_code, {{ breakdowns | join(', ') }}
),

one_county_parts as (
    {{ total_and_parts('one_county', breakdowns) }}
),

-- added up before they are spread over the areas of a county, which are many
county_counts as (
    select
        period_end,
        work_area_code,
        breakdown,
        breakdown_value,
        sum(n_employed) as n_employed,
        sum(n_certified) as n_certified,
        sum(n_levelled) as n_levelled,
        sum(n_high_skilled) as n_high_skilled,
        sum(n_enterprise_employees) as n_enterprise_employees
    from one_county_parts
    group by period_end, work_area_code, breakdown, breakdown_value
),

several_counties as (
    select
        members.area_code,
        stock.*,
        row_number() over (
            partition by members.area_code, members.period_end, stock.person_id
            order by stock.start_date desc, stock.employer_code collate "C" desc
        ) as spell_rank,
        bool_or(stock.is_enterprise_employee) over (
            partition by members.area_code, members.period_end, stock.person_id
        ) as is_enterprise_employee_anywhere
    from stock
    inner join members
        on
            stock.period_end = members.period_end
            and stock.work_area_code = members.county_code
    where not stock.is_in_one_county
),

several_counties_once as (
    select
        area_code,
        period_end,
        {{ breakdowns | join(', ') }},
        is_certified,
        is_levelled,
        is_high_skilled,
        is_enterprise_employee_anywhere as is_enterprise_employee
    from several_counties
    where spell_rank = 1
),

several_counties_parts as (
    {{ total_and_parts('several_counties_once', breakdowns) }}
),

parts as (
    select
        members.area_code,
        members.period_end,
        county_counts.breakdown,
        county_counts.breakdown_value,
        county_counts.n_employed,
        county_counts.n_certified,
        county_counts.n_levelled,
        county_counts.n_high_skilled,
        county_counts.n_enterprise_employees
    from county_counts
    inner join members
        on
            county_counts.period_end = members.period_end
            and county_counts.work_area_code = members.county_code
    union all
    select
        area_code,
        period_end,
        breakdown,
        breakdown_value,
        {{ counts }}
    from several_counties_parts
    group by area_code, period_end, breakdown, breakdown_value
),

workforce as (
    select
        area_code,
        period_end,
        breakdown,
        breakdown_value,
        sum(n_employed)::bigint as n_employed,
        sum(n_certified)::bigint as n_certified,
        sum(n_levelled)::bigint as n_levelled,
        sum(n_high_skilled)::bigint as n_high_skilled,
        sum(n_enterprise_employees)::bigint as n_enterprise_employees
    from parts
    group by area_code, period_end, breakdown, breakdown_value
)

select * from workforce
