{{ indicator_config() }}

with

enterprises as (
    select * from {{ ref('fct_skill_enterprise') }}
),

slices as (
    {{ affected_slices() }}
),

recognised as (
    select
        enterprises.uscc,
        slices.area_code,
        slices.period_type,
        slices.period_end,
        -- a revocation without a date holds from the recognition on
        case
            when
                enterprises.status = '已撤销'
                and coalesce(enterprises.revoked_on, enterprises.recognised_on) <= slices.period_end
                then 'revoked'
            else 'in_force'
        end as status
    from enterprises
    inner join slices
        on
            enterprises.county_code = slices.area_code
            and enterprises.recognised_on <= slices.period_end
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
