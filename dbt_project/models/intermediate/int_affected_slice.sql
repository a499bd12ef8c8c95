{{ config(
    materialized='table',
    indexes=[{'columns': ['indicator_code', 'area_code', 'period_type', 'period_end']}]
) }}

with

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

seed_method as (
    select * from {{ ref('seed_method') }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

affected_build as (
    select *
    from {{ source('ops', 'build_now') }}
    where kind = 'affected'
),

affected as (
    select affected_range.*
    from {{ source('ops', 'affected') }} as affected_range
    inner join affected_build
        on affected_range.build_id = affected_build.build_id
),

indicators as (
    select
        seed_indicator.indicator_code,
        seed_method.reads_other_areas,
        seed_indicator.time_basis,
        -- additive indicators are rolled up from their counties, later and for all alike, where they have counties
        case
            when seed_method.is_additive and seed_indicator.levels like '%county%' then array['county', 'other']
            else string_to_array(seed_indicator.levels, ',')
        end as area_levels,
        string_to_array(seed_indicator.period_types, ',') as period_types
    from seed_indicator
    inner join seed_method
        on seed_indicator.method = seed_method.method
    where seed_indicator.is_built
),

-- figures that compare areas, or stand as published, have no county of their own
claimed_ranges as (
    select
        indicators.indicator_code,
        affected.period_start,
        affected.period_end,
        case
            when indicators.reads_other_areas then '*'
            when affected.area_code = 'unknown' then '*'
            else affected.area_code
        end as claimed_area_code
    from affected
    inner join indicators
        on affected.indicator_code = indicators.indicator_code
    union all
    select
        indicator_code,
        '-infinity'::date as period_start,
        'infinity'::date as period_end,
        '*' as claimed_area_code
    from indicators
    where not exists (select 1 from affected_build)
),

-- a period that the feeds do not cover yields nothing, but a build of parts must still empty it
claimed_periods as (
    select distinct
        claimed_ranges.indicator_code,
        claimed_ranges.claimed_area_code,
        indicators.time_basis,
        indicators.area_levels,
        dim_period.period_type,
        dim_period.period_start,
        dim_period.period_end,
        covered_periods.indicator_code is not null as is_covered
    from claimed_ranges
    inner join indicators
        on claimed_ranges.indicator_code = indicators.indicator_code
    inner join dim_period
        on
            dim_period.period_type = any(indicators.period_types)
            and claimed_ranges.period_start <= dim_period.period_end
            and claimed_ranges.period_end >= dim_period.period_start
    left join covered_periods
        on
            claimed_ranges.indicator_code = covered_periods.indicator_code
            and dim_period.period_type = covered_periods.period_type
            and dim_period.period_end = covered_periods.period_end
    where
        covered_periods.indicator_code is not null
        or exists (select 1 from affected_build)
),

claimable_areas as (
    select
        area_code,
        area_level,
        county_code as claimed_area_code,
        valid_from,
        valid_to
    from area_member
    union
    select
        area_code,
        area_level,
        '*' as claimed_area_code,
        valid_from,
        valid_to
    from area_member
),

slices as (
    select distinct
        claimed_periods.indicator_code,
        claimable_areas.area_code,
        claimable_areas.area_level,
        claimed_periods.period_type,
        claimed_periods.period_start,
        claimed_periods.period_end,
        claimed_periods.time_basis,
        claimed_periods.is_covered
    from claimed_periods
    inner join claimable_areas
        on
            claimed_periods.claimed_area_code = claimable_areas.claimed_area_code
            and claimable_areas.area_level = any(claimed_periods.area_levels)
            and claimed_periods.period_end >= claimable_areas.valid_from
            and claimed_periods.period_end < claimable_areas.valid_to
)

select * from slices
