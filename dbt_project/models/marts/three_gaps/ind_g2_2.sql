{{ indicator_config('G2-2') }}

with

certified_shares as (
    select * from {{ ref('ind_m21_1') }}
),

-- the list in force moves with its members; a fixed list does not
lists as (
    select * from {{ ref('seed_county_list') }}
),

slices as (
    {{ affected_slices('G2-2') }}
),

sides as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        lists.list_code,
        100 * listed.numerator / nullif(listed.denominator, 0) as listed_share_pct,
        100 * rest.numerator / nullif(rest.denominator, 0) as rest_share_pct,
        least(listed.n_persons, rest.n_persons) as n_persons
    from slices
    cross join lists
    inner join certified_shares as listed
        on
            lists.group_code = listed.area_code
            and slices.period_type = listed.period_type
            and slices.period_start = listed.period_start
    inner join certified_shares as rest
        on
            lists.rest_code = rest.area_code
            and slices.period_type = rest.period_type
            and slices.period_start = rest.period_start
    where slices.area_level = 'province'
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'list' as breakdown,
        list_code as breakdown_value,
        listed_share_pct as numerator,
        rest_share_pct as denominator,
        round(listed_share_pct / nullif(rest_share_pct, 0), 4) as value,
        n_persons,
        null as n_employers,
        true as is_supplied
    from sides
)

{{ base_cells('G2-2') }}
