{{ indicator_config() }}

with

person_wages as (
    select *
    from {{ ref('int_person_period_wage') }}
    where period_type = 'year'
),

members as (
    {{ slice_members() }}
),

described as (
    select
        period_type,
        period_end,
        work_area_code,
        person_id,
        is_in_one_county,
        month_and_limit,
        case
            when level_rank >= 3 then 'high'
            when level_rank is not null then 'basic'
        end as level_group
    from person_wages
),

-- counted before they are spread over the areas of a county, which are many
one_county as (
    select
        period_type,
        period_end,
        work_area_code,
        level_group,
        month_and_limit % 4 as base_limit,
        count(*) as n_persons
    from described
    where is_in_one_county
    group by period_type, period_end, work_area_code, level_group, month_and_limit % 4
),

of_one_county as (
    {{ in_members('one_county', county='work_area_code', match=['period_type', 'period_end']) }}
),

several_counties as (
    select *
    from described
    where not is_in_one_county
),

spread as (
    {{ in_members('several_counties', county='work_area_code', match=['period_type', 'period_end']) }}
),

-- a person of two counties of an area is one of the area, with the latest month there
of_several_counties as (
    select
        area_code,
        period_type,
        period_end,
        level_group,
        max(month_and_limit) % 4 as base_limit,
        1 as n_persons
    from spread
    group by area_code, period_type, period_end, level_group, person_id
),

persons as (
    select
        area_code,
        period_type,
        period_end,
        level_group,
        base_limit,
        n_persons
    from of_one_county
    union all
    select * from of_several_counties
),

-- capped and floored each of all, so that the two add up to the total
parts as (
    select
        persons.area_code,
        persons.period_type,
        persons.period_end,
        part.breakdown,
        part.breakdown_value,
        persons.n_persons,
        part.is_limited
    from persons
    cross join
        lateral (
            values
            ('total', 'total', persons.base_limit > 0),
            ('base_limit', 'capped', persons.base_limit = 1),
            ('base_limit', 'floored', persons.base_limit = 2),
            ('level_group', persons.level_group, persons.base_limit > 0)
        ) as part (breakdown, breakdown_value, is_limited)
    where part.breakdown_value is not null
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        coalesce(sum(n_persons) filter (where is_limited), 0) as numerator,
        sum(n_persons) as denominator,
        sum(n_persons) as n_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
