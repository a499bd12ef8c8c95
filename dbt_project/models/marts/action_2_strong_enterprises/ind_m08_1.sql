{{ indicator_config('M08-1') }}

with

enterprises as (
    select * from {{ ref('fct_skill_enterprise') }}
),

slices as (
    {{ affected_slices('M08-1') }}
),

recognised as (
    select
        enterprises.uscc,
        -- a revocation without a date holds from the recognition on
        enterprises.status = '已撤销'
        and coalesce(enterprises.revoked_on, enterprises.recognised_on) <= slices.reference_date as is_revoked,
        slices.area_code,
        slices.period_type,
        slices.period_start
    from enterprises
    inner join slices
        on
            enterprises.county_code = slices.area_code
            and enterprises.recognised_on <= slices.reference_date
),

-- ever recognised is what the plan counts; those revoked by then are shown apart
broken_down as (
    select
        recognised.*,
        'total' as breakdown,
        'total' as breakdown_value
    from recognised
    union all
    select
        recognised.*,
        'status' as breakdown,
        'revoked' as breakdown_value
    from recognised
    where recognised.is_revoked
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count(distinct uscc)::numeric as numerator,
        null::numeric as denominator,
        null::numeric as value,
        null::bigint as n_persons,
        count(distinct uscc) as n_employers,
        true as is_supplied
    from broken_down
    group by area_code, period_type, period_start, breakdown, breakdown_value
)

select
    'M08-1' as indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    value,
    n_persons,
    n_employers,
    is_supplied
from cells
