{#- Period and county hang together; the planner takes them for independent, expects hardly a row,
    and would go through hundreds of thousands of persons in a nested loop. -#}
{{ config(pre_hook='set local enable_nestloop = off') }}

with

person_wages as (
    select * from {{ ref('int_person_period_wage') }}
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
        period_type,
        period_end
    from slices
),

-- a number for each area and period keeps what is sorted for the medians narrow
numbered_areas as (
    select
        areas.*,
        row_number() over (
            order by areas.area_code, areas.period_type, areas.period_end
        )::integer as slice_number
    from areas
),

members as (
    select
        numbered_areas.slice_number,
        numbered_areas.period_type,
        numbered_areas.period_end,
        area_member.county_code
    from numbered_areas
    inner join area_member
        on
            numbered_areas.area_code = area_member.area_code
            and numbered_areas.period_end >= area_member.valid_from
            and numbered_areas.period_end < area_member.valid_to
),

one_county_wages as (
    select
        members.slice_number,
        person_wages.skill_level,
        person_wages.level_rank,
        (person_wages.wage_sum_cny / bit_count(person_wages.month_bits::bit(12)))::double precision as wage_cny_month
    from person_wages
    inner join members
        on
            person_wages.period_type = members.period_type
            and person_wages.period_end = members.period_end
            and person_wages.work_area_code = members.county_code
    where person_wages.is_in_one_county
),

-- a month with wages in two counties of an area is one month of the area
several_counties_wages as (
    select
        members.slice_number,
        person_wages.skill_level,
        person_wages.level_rank,
        (
            sum(person_wages.wage_sum_cny) / bit_count(bit_or(person_wages.month_bits)::bit(12))
        )::double precision as wage_cny_month
    from person_wages
    inner join members
        on
            person_wages.period_type = members.period_type
            and person_wages.period_end = members.period_end
            and person_wages.work_area_code = members.county_code
    where not person_wages.is_in_one_county
    group by
        members.slice_number,
        person_wages.person_id,
        person_wages.skill_level,
        person_wages.level_rank
),

area_wages as (
    select * from one_county_wages
    union all
    select * from several_counties_wages
),

level_groups as (
    select
        slice_number,
        skill_level as level_group,
        wage_cny_month
    from area_wages
    union all
    select
        area_wages.slice_number,
        case when area_wages.level_rank >= 3 then 'high' else 'basic' end as level_group,
        area_wages.wage_cny_month
    from area_wages
    inner join numbered_areas
        on area_wages.slice_number = numbered_areas.slice_number
    where
        numbered_areas.period_type = 'year'
        and area_wages.level_rank is not null
),

group_medians as (
    select
        slice_number,
        level_group,
        (percentile_cont(0.5) within group (order by wage_cny_month))::numeric as median_cny_month,
        count(*) as n_persons
    from level_groups
    group by slice_number, level_group
),

medians as (
    select
        numbered_areas.area_code,
        numbered_areas.period_type,
        numbered_areas.period_end,
        group_medians.level_group,
        group_medians.median_cny_month,
        group_medians.n_persons
    from group_medians
    inner join numbered_areas
        on group_medians.slice_number = numbered_areas.slice_number
)

select * from medians
