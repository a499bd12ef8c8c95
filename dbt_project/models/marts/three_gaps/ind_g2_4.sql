{{ indicator_config() }}

with

incomes as (
    select * from {{ ref('fct_resident_income') }}
),

published_figures as (
    select * from {{ ref('int_published_figure') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

lists as (
    select * from {{ ref('seed_county_list') }}
),

slices as (
    {{ affected_slices() }}
),

-- figures run from 1 January: of a year is what ends with it
published as (
    select
        area_code,
        period_end,
        income_all_cny,
        basis
    from incomes
    where
        definition = 'integrated'
        and income_all_cny is not null
),

residents as (
    select
        area_code,
        as_of as period_end,
        value as n_residents
    from published_figures
    where item = '常住人口'
),

listed as (
    select slices.*
    from slices
    inner join lists
        on slices.area_code = lists.group_code
),

-- with one county missing the mean of the rest would be one of another group
weighted as (
    select
        listed.area_code,
        listed.period_end,
        count(county.income_all_cny) as n_published,
        case
            when count(*) = count(county.income_all_cny * residents.n_residents)
                then sum(county.income_all_cny * residents.n_residents) / sum(residents.n_residents)
        end as income_cny
    from listed
    inner join area_member
        on
            listed.area_code = area_member.area_code
            and listed.period_end >= area_member.valid_from
            and listed.period_end < area_member.valid_to
    left join published as county
        on
            area_member.county_code = county.area_code
            and listed.period_end = county.period_end
    left join residents
        on
            area_member.county_code = residents.area_code
            and listed.period_end = residents.period_end
    group by listed.area_code, listed.period_end
),

sides as (
    select
        listed.area_code,
        listed.period_type,
        listed.period_end,
        coalesce(own.income_all_cny, weighted.income_cny) as group_cny,
        province.income_all_cny as province_cny,
        case
            when 'derived' in (own.basis, province.basis) then 'derived'
            when own.income_all_cny is not null then 'printed'
            else 'computed'
        end as source_kind
    from listed
    inner join weighted
        on
            listed.area_code = weighted.area_code
            and listed.period_end = weighted.period_end
    left join published as own
        on
            listed.area_code = own.area_code
            and listed.period_end = own.period_end
    left join published as province
        on
            province.area_code = '330000'
            and listed.period_end = province.period_end
    where
        own.income_all_cny is not null
        or weighted.n_published > 0
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        case when group_cny is not null then source_kind end as source_kind,
        round(group_cny, 2) as numerator,
        province_cny as denominator,
        round(100 * group_cny / province_cny, 4) as value,
        group_cny is not null and province_cny is not null as is_supplied
    from sides
)

{{ base_cells(['numerator', 'denominator', 'value', 'source_kind', 'is_supplied']) }}
