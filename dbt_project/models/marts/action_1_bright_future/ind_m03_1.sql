{{ indicator_config() }}

with

-- the sectors' records do not say what kind of provider trained
listed as (
    select * from {{ ref('int_hrss_subsidised_training') }}
),

school_types as (
    select breakdown_value
    from {{ ref('seed_breakdown_value') }}
    where breakdown = 'school_type'
),

slices as (
    {{ affected_slices() }}
),

placed as (
    {{ in_slices('listed', area='handling_area_code', day='completion_date') }}
),

by_schools as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where provider_type in ('01', '02')) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where provider_type in ('01', '02')) as n_numerator_persons,
        count(distinct person_id) filter (where provider_type not in ('01', '02')) as n_complement_persons
    from placed
    group by area_code, period_type, period_end
),

-- of all records, so that the two kinds of schools add up to the total
by_type as (
    select
        placed.area_code,
        placed.period_type,
        placed.period_end,
        'school_type' as breakdown,
        school_types.breakdown_value,
        count(*) filter (where placed.provider_type = school_types.breakdown_value) as numerator,
        count(*) as denominator,
        count(distinct placed.person_id) as n_persons,
        count(distinct placed.person_id) filter (where placed.provider_type = school_types.breakdown_value)
            as n_numerator_persons,
        count(distinct placed.person_id) filter (where placed.provider_type != school_types.breakdown_value)
            as n_complement_persons
    from placed
    cross join school_types
    group by placed.area_code, placed.period_type, placed.period_end, school_types.breakdown_value
),

cells as (
    select * from by_schools
    union all
    select * from by_type
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
