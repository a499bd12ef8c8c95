{{ indicator_config() }}

with

villages as (
    select * from {{ ref('fct_skill_village') }}
),

slices as (
    {{ affected_slices() }}
),

recognised as (
    select
        villages.village_code,
        slices.area_code,
        slices.period_type,
        slices.period_end,
        -- a village that was merged keeps its recognition; a revocation without a date holds from the recognition on
        case
            when
                villages.status = '已撤销'
                and coalesce(villages.revoked_on, villages.recognised_on) <= slices.period_end
                then 'revoked'
            else 'in_force'
        end as status
    from villages
    inner join slices
        on
            villages.location_area_code = slices.area_code
            and villages.recognised_on <= slices.period_end
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
        count(distinct village_code) as numerator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
