{{ config(materialized='view') }}

with

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

seed_indicator_breakdown as (
    select * from {{ ref('seed_indicator_breakdown') }}
),

seed_breakdown_value as (
    select * from {{ ref('seed_breakdown_value') }}
),

-- an indicator of which nothing is said is not broken down
declared as (
    select
        seed_indicator.indicator_code,
        coalesce(own.breakdown, 'total') as breakdown,
        coalesce(own.breakdown_values, 'any') as breakdown_values,
        coalesce(nullif(own.levels, 'any'), seed_indicator.levels) as levels,
        own.breakdown is null
        or bool_or(own.breakdown = 'total') over (partition by seed_indicator.indicator_code) as has_total
    from seed_indicator
    left join seed_indicator_breakdown as own
        on seed_indicator.indicator_code = own.indicator_code
    where seed_indicator.is_built
),

parts as (
    select
        declared.indicator_code,
        declared.breakdown,
        seed_breakdown_value.breakdown_value,
        level.area_level,
        declared.breakdown = 'total' or not declared.has_total as leads
    from declared
    inner join seed_breakdown_value
        on
            declared.breakdown = seed_breakdown_value.breakdown
            and (
                declared.breakdown_values = 'any'
                or seed_breakdown_value.breakdown_value = any(string_to_array(declared.breakdown_values, ','))
            )
    cross join string_to_table(declared.levels, ',') as level (area_level)
)

select * from parts
