{{ indicator_config() }}

with

ecosystems as (
    select * from {{ ref('fct_skill_ecosystem') }}
),

slices as (
    {{ affected_slices() }}
),

active as (
    select
        slices.area_code,
        slices.area_level,
        slices.period_type,
        slices.period_end,
        count(*) as ecosystems
    from ecosystems
    inner join slices
        on
            ecosystems.location_area_code = slices.area_code
            and ecosystems.approved_on <= slices.period_end
            and (ecosystems.ended_on is null or ecosystems.ended_on >= slices.period_end)
    group by slices.area_code, slices.area_level, slices.period_type, slices.period_end
),

-- beside their number stands that of the counties which have one: 1 of a county, added up above
cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        ecosystems as numerator
    from active
    union all
    select
        area_code,
        period_type,
        period_end,
        'counties_with_one' as breakdown,
        'counties_with_one' as breakdown_value,
        1 as numerator
    from active
    where area_level = 'county'
)

{{ base_cells(['numerator']) }}
