{{ indicator_config() }}

with

certificates as (
    select * from {{ ref('int_issued_certificate') }}
),

slices as (
    {{ affected_slices() }}
),

flows as (
    select
        person_id,
        issue_area_code,
        case when certificate_type = '02' then '02' else issuer_kind end as issuer,
        level_rank >= 3 as is_high,
        flow,
        flow_date
    from certificates
    where
        certificate_type in ('01', '02')
        and level_rank is not null
),

in_period as (
    {{ in_slices('flows', area='issue_area_code', day='flow_date') }}
),

broken_down as (
    {{ issued_and_revoked('in_period', ['issuer']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_high) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where is_high) as n_numerator_persons,
        count(distinct person_id) filter (where not is_high) as n_complement_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
