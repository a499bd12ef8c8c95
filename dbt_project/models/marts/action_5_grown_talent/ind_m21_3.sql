{{ indicator_config() }}

with

talents as (
    select * from {{ ref('fct_leading_talent') }}
),

honours as (
    select * from {{ ref('seed_honour') }}
),

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

members as (
    {{ slice_members() }}
),

slices as (
    {{ affected_slices() }}
),

held as (
    {{ honours_held('talents', 'honours') }}
),

broken_down as (
    {{ total_and_parts('held', ['honour']) }}
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(distinct person_id) as n_talents
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

counts as (
    {{ in_slices('workforce', match=['period_end']) }}
),

employed as (
    select
        area_code,
        period_type,
        period_end,
        n_employed
    from counts
    where breakdown = 'total'
    union all
    -- who is honoured is counted where nobody is employed too
    select
        area_code,
        period_type,
        period_end,
        0 as n_employed
    from counted
    where breakdown = 'total'
),

areas as (
    select
        area_code,
        period_type,
        period_end,
        max(n_employed) as n_employed
    from employed
    group by area_code, period_type, period_end
),

parts as (
    select
        'total' as breakdown,
        'total' as breakdown_value
    union all
    select
        'honour' as breakdown,
        honour_code as breakdown_value
    from honours
),

-- of all who are employed there, whatever the honour
cells as (
    select
        areas.area_code,
        areas.period_type,
        areas.period_end,
        parts.breakdown,
        parts.breakdown_value,
        coalesce(counted.n_talents, 0) as numerator,
        areas.n_employed as denominator,
        areas.n_employed as n_persons
    from areas
    cross join parts
    left join counted
        on
            areas.area_code = counted.area_code
            and areas.period_type = counted.period_type
            and areas.period_end = counted.period_end
            and parts.breakdown = counted.breakdown
            and parts.breakdown_value = counted.breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
