{{ indicator_config() }}

with

certified_shares as (
    select *
    from {{ ref('ind_m21_1') }}
    where breakdown = 'total'
),

-- the list in force moves with its members; a fixed list does not
lists as (
    select * from {{ ref('seed_county_list') }}
),

slices as (
    {{ affected_slices() }}
),

sides as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        lists.list_code,
        listed.numerator,
        listed.denominator,
        rest.numerator as comparison_numerator,
        rest.denominator as comparison_denominator,
        least(listed.n_persons, rest.n_persons) as n_persons
    from slices
    cross join lists
    inner join certified_shares as listed
        on
            lists.group_code = listed.area_code
            and slices.period_type = listed.period_type
            and slices.period_end = listed.period_end
    inner join certified_shares as rest
        on
            lists.rest_code = rest.area_code
            and slices.period_type = rest.period_type
            and slices.period_end = rest.period_end
    where slices.area_level = 'province'
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'list' as breakdown,
        list_code as breakdown_value,
        numerator,
        denominator,
        comparison_numerator,
        comparison_denominator,
        n_persons
    from sides
)

{{ base_cells(['numerator', 'denominator', 'comparison_numerator', 'comparison_denominator', 'n_persons']) }}
