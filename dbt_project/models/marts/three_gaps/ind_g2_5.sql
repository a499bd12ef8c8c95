{{ indicator_config() }}

with

incomes as (
    select * from {{ ref('fct_resident_income') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

slices as (
    {{ affected_slices() }}
),

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

cities as (
    select distinct
        slices.area_code,
        slices.period_type,
        slices.period_end,
        area_member.area_code as city_code
    from slices
    inner join area_member
        on
            area_member.area_level = 'city'
            and slices.period_end >= area_member.valid_from
            and slices.period_end < area_member.valid_to
    where slices.area_level = 'province'
),

extremes as (
    select
        cities.area_code,
        cities.period_type,
        cities.period_end,
        count(*) = count(published.income_all_cny) as is_complete,
        count(published.income_all_cny) as n_published,
        max(published.income_all_cny) as highest_cny,
        min(published.income_all_cny) as lowest_cny,
        coalesce(bool_or(published.basis = 'derived'), false) as has_derived
    from cities
    left join published
        on
            cities.city_code = published.area_code
            and cities.period_end = published.period_end
    group by cities.area_code, cities.period_type, cities.period_end
),

-- with one city missing the highest or the lowest may be the one that is not known
cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        case when is_complete then highest_cny end as numerator,
        case when is_complete then lowest_cny end as denominator,
        case when is_complete then round(highest_cny / lowest_cny, 4) end as value,
        case when has_derived then 'derived' end as source_kind,
        is_complete as is_supplied
    from extremes
    where n_published > 0
)

{{ base_cells(['numerator', 'denominator', 'value', 'source_kind', 'is_supplied']) }}
