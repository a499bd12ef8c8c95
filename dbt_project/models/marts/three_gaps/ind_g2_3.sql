{{ indicator_config() }}

with

person_wages as (
    select * from {{ ref('int_person_year_wage') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

dim_area as (
    select * from {{ ref('dim_area') }}
),

lists as (
    select * from {{ ref('seed_county_list') }}
),

slices as (
    {{ affected_slices() }}
),

-- a person with wages in two counties counts in both: the index is one of counties
county_means as (
    select
        person_wages.year_end as period_end,
        person_wages.work_area_code,
        count(*) as n_persons,
        avg(round(person_wages.wage_sum_cny / bit_count(person_wages.month_bits::bit(12)), 4)) as mean_cny_month
    from person_wages
    inner join dim_area
        on
            person_wages.work_area_code = dim_area.area_code
            and dim_area.area_level = 'county'
    group by person_wages.year_end, person_wages.work_area_code
),

listed as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        lists.list_code,
        county_means.n_persons,
        county_means.mean_cny_month,
        area_member.county_code is not null as is_listed
    from slices
    inner join county_means
        on slices.period_end = county_means.period_end
    cross join lists
    left join area_member
        on
            lists.group_code = area_member.area_code
            and county_means.work_area_code = area_member.county_code
            and slices.period_end >= area_member.valid_from
            and slices.period_end < area_member.valid_to
),

of_groups as (
    select
        *,
        sum(n_persons) over of_all as n_of_all,
        sum(n_persons * mean_cny_month) over of_all as sum_of_all,
        sum(n_persons) over of_group as n_of_group,
        sum(n_persons * mean_cny_month) over of_group as sum_of_group
    from listed
    window
        of_all as (partition by area_code, period_type, period_end, list_code),
        of_group as (partition by area_code, period_type, period_end, list_code, is_listed)
),

-- share of all wages times the logarithm of how far a mean lies from the one that it is part of
terms as (
    select
        area_code,
        period_type,
        period_end,
        list_code,
        n_of_all,
        n_of_group,
        n_persons * mean_cny_month / sum_of_all
        * ln(mean_cny_month * n_of_all / sum_of_all) as of_total,
        n_persons * mean_cny_month / sum_of_all
        * ln((sum_of_group / n_of_group) * n_of_all / sum_of_all) as of_between,
        n_persons * mean_cny_month / sum_of_all
        * ln(mean_cny_month * n_of_group / sum_of_group) as of_within
    from of_groups
),

indices as (
    select
        area_code,
        period_type,
        period_end,
        list_code,
        max(n_of_all) as n_persons,
        min(n_of_group) as n_of_smaller_group,
        sum(of_total) as total,
        sum(of_between) as between_groups,
        sum(of_within) as within_groups
    from terms
    group by area_code, period_type, period_end, list_code
),

-- the whole does not depend on a list: it and its two parts stand by the list in force, what lies between by each
parts as (
    select
        indices.area_code,
        indices.period_type,
        indices.period_end,
        part.breakdown,
        part.breakdown_value,
        part.value,
        part.n_persons,
        indices.list_code = part.list_code as is_by_its_list
    from indices
    cross join lateral (
        values
        ('total', 'total', indices.total, indices.n_persons, 'in_force'),
        ('component', 'between', indices.between_groups, indices.n_of_smaller_group, 'in_force'),
        ('component', 'within', indices.within_groups, indices.n_of_smaller_group, 'in_force'),
        ('list', indices.list_code, indices.between_groups, indices.n_of_smaller_group, indices.list_code)
    ) as part (breakdown, breakdown_value, value, n_persons, list_code)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        n_persons,
        round(value, 12) as value
    from parts
    where is_by_its_list
)

{{ base_cells(['value', 'n_persons']) }}
