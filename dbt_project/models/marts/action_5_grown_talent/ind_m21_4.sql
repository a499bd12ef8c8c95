{{ indicator_config() }}

with

talents as (
    select * from {{ ref('fct_leading_talent') }}
),

honours as (
    select * from {{ ref('seed_honour') }}
    where is_national
),

members as (
    {{ slice_members() }}
),

held as (
    {{ honours_held('talents', 'honours') }}
),

-- whoever has two of them counts once in the total, and in each part
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
        count(distinct person_id) as numerator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

-- honours are public: that an area has none is a figure too
areas as (
    select distinct
        area_code,
        period_type,
        period_end
    from members
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

cells as (
    select
        areas.area_code,
        areas.period_type,
        areas.period_end,
        parts.breakdown,
        parts.breakdown_value,
        coalesce(counted.numerator, 0) as numerator
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

{{ base_cells(['numerator']) }}
