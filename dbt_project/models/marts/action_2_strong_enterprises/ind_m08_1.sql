{{ indicator_config() }}

with

enterprises as (
    select * from {{ ref('fct_skill_enterprise') }}
),

slices as (
    {{ affected_slices() }}
),

recognised as (
    {{ ever_recognised('enterprises', key='uscc', area='county_code') }}
),

-- ever recognised is what the plan counts: those on the roster and those revoked by then, apart, add up to it
broken_down as (
    {{ total_and_parts('recognised', ['status']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(distinct uscc) as numerator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
