{#- Period and county hang together; the planner takes them for independent, expects hardly a row,
    and would go through hundreds of thousands of persons in a nested loop. -#}
{{ config(pre_hook=hash_joins()) }}
{#- Fewer of an industry say nothing of it; of so many ten lie on each side of a weighted median. -#}
{%- set fewest_of_an_industry = 20 -%}

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
        members.period_type,
        person_wages.skill_level,
        person_wages.level_rank,
        person_wages.sex,
        person_wages.age_band,
        person_wages.month_and_industry,
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
        members.period_type,
        person_wages.skill_level,
        person_wages.level_rank,
        person_wages.sex,
        person_wages.age_band,
        max(person_wages.month_and_industry) as month_and_industry,
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
        members.period_type,
        person_wages.person_id,
        person_wages.skill_level,
        person_wages.level_rank,
        person_wages.sex,
        person_wages.age_band
),

area_wages as (
    select * from one_county_wages
    union all
    select * from several_counties_wages
),

-- with the two groups of levels that are set against each other, of years
levelled as (
    select
        slice_number,
        sex,
        age_band,
        month_and_industry % 128 as industry,
        wage_cny_month,
        case when level_rank >= 3 then 'high' else 'basic' end as level_group
    from area_wages
    where
        period_type = 'year'
        and level_rank is not null
),

parts_of_all as (
    select
        area_wages.slice_number,
        'all' as level_group,
        part.breakdown,
        part.breakdown_value,
        area_wages.wage_cny_month
    from area_wages
    cross join lateral (
        values
        ('skill_level', area_wages.skill_level),
        ('sex', area_wages.sex)
    ) as part (breakdown, breakdown_value)
),

parts_of_groups as (
    select
        levelled.slice_number,
        levelled.level_group,
        part.breakdown,
        part.breakdown_value,
        levelled.wage_cny_month
    from levelled
    cross join lateral (
        values
        ('total', 'total'),
        ('sex', levelled.sex),
        ('age_band', levelled.age_band)
    ) as part (breakdown, breakdown_value)
),

parts as (
    select * from parts_of_all
    union all
    select * from parts_of_groups
),

part_medians as (
    select
        slice_number,
        level_group,
        breakdown,
        breakdown_value,
        (percentile_cont(0.5) within group (order by wage_cny_month))::numeric as median_cny_month,
        count(*) as n_persons
    from parts
    group by slice_number, level_group, breakdown, breakdown_value
),

industries as (
    select
        slice_number,
        industry,
        count(*) filter (where level_group = 'high') as n_high,
        count(*) filter (where level_group = 'basic') as n_basic
    from levelled
    group by slice_number, industry
),

-- in the industries that both groups work in, the basic one weighs as if it were spread over them as the high one is
weighted as (
    select
        levelled.slice_number,
        levelled.level_group,
        levelled.wage_cny_month,
        case
            when levelled.level_group = 'high' then 1
            else industries.n_high::double precision / industries.n_basic
        end as weight
    from levelled
    inner join industries
        on
            levelled.slice_number = industries.slice_number
            and levelled.industry = industries.industry
    where least(industries.n_high, industries.n_basic) >= {{ fewest_of_an_industry }}
),

ranked as (
    select
        slice_number,
        level_group,
        wage_cny_month,
        sum(weight) over (
            partition by slice_number, level_group
            order by wage_cny_month asc
            rows between unbounded preceding and current row
        ) as weight_up_to,
        sum(weight) over (partition by slice_number, level_group) as weight_of_all
    from weighted
),

-- the lowest wage up to which half of the weight lies; sums of quotients are off in the last digits
industry_medians as (
    select
        slice_number,
        level_group,
        'industry_adjusted' as breakdown,
        'industry_adjusted' as breakdown_value,
        (min(wage_cny_month) filter (where weight_up_to >= weight_of_all / 2 - 1e-6))::numeric as median_cny_month,
        count(*) as n_persons
    from ranked
    group by slice_number, level_group
),

group_medians as (
    select * from part_medians
    union all
    select * from industry_medians
),

medians as (
    select
        numbered_areas.area_code,
        numbered_areas.period_type,
        numbered_areas.period_end,
        group_medians.level_group,
        group_medians.breakdown,
        group_medians.breakdown_value,
        group_medians.median_cny_month,
        group_medians.n_persons
    from group_medians
    inner join numbered_areas
        on group_medians.slice_number = numbered_areas.slice_number
)

select * from medians
