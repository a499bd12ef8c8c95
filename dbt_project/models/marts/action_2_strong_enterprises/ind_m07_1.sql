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
        issuer_kind,
        level_code as skill_level,
        flow,
        flow_date
    from certificates
    where
        certificate_type = '01'
        and issuer_kind in ('Y', 'S')
),

in_period as (
    {{ in_slices('flows', area='issue_area_code', day='flow_date') }}
),

broken_down as (
    {{ issued_and_revoked('in_period', ['skill_level']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where issuer_kind = 'Y') as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where issuer_kind = 'Y') as n_numerator_persons,
        count(distinct person_id) filter (where issuer_kind = 'S') as n_complement_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
