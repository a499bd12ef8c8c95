{#- Year and county hang together; the planner takes them for independent,
    and would go through all persons in a nested loop. -#}
{{ config(pre_hook=hash_joins()) }}

with

person_wages as (
    select * from {{ ref('int_person_year_wage') }}
),

slices as (
    {{ slices_of_readers() }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

areas as (
    select distinct
        slices.area_code,
        slices.period_end,
        dim_period.prior_year_end
    from slices
    inner join dim_period
        on
            slices.period_type = dim_period.period_type
            and slices.period_end = dim_period.period_end
),

-- both years over the counties of the later one's end: growth is none of a list that changed
members as (
    select
        areas.area_code,
        areas.period_end,
        year_end.day as year_end,
        area_member.county_code
    from areas
    inner join area_member
        on
            areas.area_code = area_member.area_code
            and areas.period_end >= area_member.valid_from
            and areas.period_end < area_member.valid_to
    cross join lateral (
        values
        (areas.period_end),
        (areas.prior_year_end)
    ) as year_end (day)
),

one_county_wages as (
    select
        members.area_code,
        members.period_end,
        members.year_end,
        person_wages.n_records,
        person_wages.n_floored_records,
        round(person_wages.wage_sum_cny / bit_count(person_wages.month_bits::bit(12)), 4) as wage_cny_month
    from person_wages
    inner join members
        on
            person_wages.year_end = members.year_end
            and person_wages.work_area_code = members.county_code
    where person_wages.is_in_one_county
),

-- a month with wages in two counties of an area is one month of the area
several_counties_wages as (
    select
        members.area_code,
        members.period_end,
        members.year_end,
        sum(person_wages.n_records) as n_records,
        sum(person_wages.n_floored_records) as n_floored_records,
        round(
            sum(person_wages.wage_sum_cny) / bit_count(bit_or(person_wages.month_bits)::bit(12)), 4
        ) as wage_cny_month
    from person_wages
    inner join members
        on
            person_wages.year_end = members.year_end
            and person_wages.work_area_code = members.county_code
    where not person_wages.is_in_one_county
    group by
        members.area_code,
        members.period_end,
        members.year_end,
        person_wages.person_id
),

area_wages as (
    select * from one_county_wages
    union all
    select * from several_counties_wages
),

-- of equal wages the floored ones stand first, so that the order of rows decides nothing
ranked as (
    select
        *,
        row_number() over (
            partition by area_code, period_end, year_end
            order by wage_cny_month asc, n_floored_records desc, n_records asc
        ) as wage_rank,
        count(*) over (partition by area_code, period_end, year_end) as n_of_area
    from area_wages
),

marked as (
    select
        *,
        wage_rank * 10 <= n_of_area * 4 as is_bottom
    from ranked
),

spread as (
    select
        area_code,
        period_end,
        year_end,
        count(*) as n_persons,
        avg(wage_cny_month) as mean_cny_month,
        2 * sum(wage_rank * wage_cny_month) / nullif(count(*) * sum(wage_cny_month), 0)
        - (count(*) + 1)::numeric / count(*) as gini,
        count(*) filter (where is_bottom) as n_bottom,
        avg(wage_cny_month) filter (where is_bottom) as bottom_mean_cny_month,
        sum(n_records) filter (where is_bottom) as bottom_records,
        sum(n_floored_records) filter (where is_bottom) as bottom_floored_records,
        count(*) filter (where is_bottom and n_floored_records > 0) as n_bottom_floored,
        count(*) filter (where is_bottom and n_floored_records < n_records) as n_bottom_not_floored
    from marked
    group by area_code, period_end, year_end
)

select * from spread
