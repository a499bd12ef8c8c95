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

employed as (
    {{ in_slices('workforce', match=['period_end']) }}
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
        employed.area_code,
        employed.period_type,
        employed.period_end,
        parts.breakdown,
        parts.breakdown_value,
        coalesce(counted.n_talents, 0) as numerator,
        employed.n_employed as denominator,
        employed.n_employed as n_persons
    from employed
    cross join parts
    left join counted
        on
            employed.area_code = counted.area_code
            and employed.period_type = counted.period_type
            and employed.period_end = counted.period_end
            and parts.breakdown = counted.breakdown
            and parts.breakdown_value = counted.breakdown_value
    where employed.breakdown = 'total'
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
